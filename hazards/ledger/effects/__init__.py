"""What each command does to a hazard: one function a command, one line each in ``EFFECTS``. Pure.

What must not go in: when a command is refused beforehand (``hazards/ledger/conditions.py``), SQL.
"""

from collections.abc import Callable, Mapping
from typing import Any

from hazards.ledger import commands as ask
from hazards.ledger.decision import Case, Decision
from hazards.ledger.effects import acceptance, consequences, extension, grading, measures, moving, plan, publicity

EFFECTS: Mapping[type, Callable[[Case, Any], Decision]] = {
    ask.Confirm: grading.confirm,
    ask.Regrade: grading.regrade,
    ask.Dismiss: grading.dismiss,
    ask.Receive: grading.receive,
    ask.TakeMeasure: measures.take,
    ask.EndMeasure: measures.end,
    ask.ReportHazard: publicity.report,
    ask.Publish: publicity.publish,
    ask.ListForRectification: publicity.put_on_list,
    ask.LiftListing: publicity.lift_listing,
    ask.FilePlan: plan.file,
    ask.ApprovePlan: plan.approve,
    ask.ReturnPlan: plan.send_back,
    ask.StartRectification: plan.start,
    ask.RequestExtension: extension.request,
    ask.SignExtension: extension.sign,
    ask.RefuseExtension: extension.refuse,
    ask.FileExtension: extension.file,
    ask.Supervise: consequences.supervise,
    ask.LiftSupervision: consequences.lift_supervision,
    ask.Summon: consequences.summon,
    ask.Refer: consequences.refer,
    ask.WaivePenalty: consequences.waive_penalty,
    ask.Claim: acceptance.claim,
    ask.Inspect: acceptance.inspect,
    ask.Accept: acceptance.accept,
    ask.Refuse: acceptance.refuse,
    ask.Close: acceptance.close,
    ask.Reopen: acceptance.reopen,
    ask.Transfer: moving.transfer,
    ask.Merge: moving.merge,
    ask.Comment: moving.comment,
}
