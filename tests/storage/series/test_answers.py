"""InfluxDB's answers to runs: also while what is asked for is being written."""

from storage.series.answers import runs_of

HEADER = ",result,table,_time,device,metric,zone,count,last,max,mean,min"


def row(second: int, **fields: str) -> str:
    known = {"count": "2", "last": "1", "max": "3", "mean": "2", "min": "1"} | fields
    values = ",".join(known[name] for name in ("count", "last", "max", "mean", "min"))
    return f",_result,0,2026-11-22T10:00:{second:02}Z,T-1,temperature,hall,{values}"


def test_a_roll_up_of_which_a_field_is_not_there_yet_is_left_out_until_it_is_whole() -> None:
    (run,) = runs_of("\r\n".join([HEADER, row(1), row(2, last=""), row(3)]), raw=False)
    assert run.count.tolist() == [2, 2] and run.last.tolist() == [1.0, 1.0] and (run.at[1] - run.at[0]) == 2_000_000
    assert runs_of("\r\n".join([HEADER, row(2, count="", mean="")]), raw=False) == []
    without_column = ",result,table,_time,device,metric,zone,count\r\n,_result,0,2026-11-22T10:00:01Z,T-1,temperature,hall,2"
    assert runs_of(without_column, raw=False) == []
