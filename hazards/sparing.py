"""What keeps an alarm of a zone quiet, and what that makes of its state towards people. Pure.

The reasons are rows (``hazards/quieting.py``, ``hazards/inhibition.py``); this finds the one that holds. What must not go in: incidents,
and what becomes of one when an alarm goes quiet or sounds (``hazards/incident_course.py``).
"""

from functools import partial

from hazards.alarm_state import ALARMING, Alarm, Phase
from hazards.annunciation import SPARED, AlarmState, Move, next_state
from hazards.inhibition import EFFECTS as EXPLAINED
from hazards.inhibition import LINGER, ZONE_CAUSES, explained_by
from hazards.quieting import EFFECTS, STRONGEST, Quiet, Quieting, declared_quiet, held_back
from hazards.surroundings import Surroundings
from hazards.zone_state import ZoneState

_FAR = 2**62
_UNANSWERED = (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED, AlarmState.LATCHED)


class Sparing:
    """One call's work on the alarms of one zone state."""

    def __init__(self, state: ZoneState, around: Surroundings) -> None:
        self.state, self.around = state, around
        self._causes: list[str] | None = None

    def hush(self, alarm: Alarm, at: int) -> None:
        """Let what keeps ``alarm`` quiet at ``at``, or nothing any more, stay with it; if it calls until now, that, too."""
        alarm.called = alarm.called or (alarm.state in _UNANSWERED and not held_back(alarm))
        found = self._quieting(alarm, at)
        alarm.quiet, alarm.by = (found.quiet.value, found.by) if found is not None else ("", "")
        if found is not None and found.until is not None:
            self.state.quiet_until = min(self.state.quiet_until or _FAR, found.until)

    def spare(self, alarm: Alarm) -> None:
        """Move the alarm's state towards people to where what keeps it quiet, or nothing any more, has it."""
        spared = EFFECTS[Quiet(alarm.quiet)].move if alarm.quiet else None
        if spared is not None:
            alarm.state = next_state(alarm.state, spared)
        elif alarm.state in SPARED:
            alarm.state = next_state(alarm.state, Move.SOUNDED if alarm.phase in ALARMING else Move.CALMED)
            if alarm.phase is Phase.LATCHED:
                alarm.state = next_state(alarm.state, Move.LATCHED)

    def causes_changed(self) -> None:
        """There is another alarm that explains others in the whole zone."""
        self._causes = None

    def _quieting(self, alarm: Alarm, at: int) -> Quieting | None:
        declared = declared_quiet(self.around.declarations, self.around.zone, alarm.device, alarm.kind, at)
        explained = None
        if alarm.kind in EXPLAINED:
            until = partial(self._explains_until, at=at, called=alarm.called)
            explained = explained_by(alarm.device, alarm.kind, self._of_kind, until)
        if explained is None or (declared is not None and STRONGEST.index(declared.quiet) < STRONGEST.index(Quiet.INHIBITED)):
            return declared
        return Quieting(Quiet.INHIBITED, explained[0], None if explained[1] == _FAR else explained[1])

    def _of_kind(self, kind: str) -> list[str]:
        """Keys of the zone's alarms of ``kind``, which is one that explains others in the whole zone: there are few."""
        if self._causes is None:
            self._causes = [key for key, alarm in self.state.alarms.items() if alarm.kind in ZONE_CAUSES]
        return [key for key in self._causes if self.state.alarms[key].kind == kind]

    def _explains_until(self, key: str, *, at: int, called: bool) -> int | None:
        cause = self.state.alarms.get(key)
        if cause is None or (cause.phase not in ALARMING and cause.last_at + LINGER <= at) or not cause.group:
            return None
        if cause.quiet in (Quiet.OUT_OF_SERVICE, Quiet.SHELVED):  # people do not believe it: then it explains nothing
            return None
        if called and held_back(cause):  # the one has called people, and they would hear of neither
            return None
        return _FAR if cause.phase in ALARMING else cause.last_at + LINGER
