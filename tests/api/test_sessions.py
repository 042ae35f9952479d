"""People sign in; writes need the CSRF token; guessing is throttled; a new password ends other sessions."""

import httpx
import pytest

from api.passwords import Throttle
from hazards.errors import Throttled
from storage import accounts
from storage.accounts import NOBODYS_HASH, verify_password
from tests.api.conftest import PASSWORD, System, bearer


async def sign_in(client: httpx.AsyncClient, name: str = "wang", password: str = PASSWORD) -> httpx.Response:
    return await client.post("/api/v1/session", json={"name": name, "password": password})


async def test_a_person_signs_in_and_out(client: httpx.AsyncClient, system: System) -> None:
    system.user("wang", "operator")
    answer = await sign_in(client)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and "path=/" in cookie and "secure" not in cookie
    me = (await client.get("/api/v1/session")).json()
    assert (me["id"], me["role"], me["person"], me["csrf"]) == ("wang", "operator", True, answer.json()["csrf"])
    assert (await client.delete("/api/v1/session")).status_code == 403  # no CSRF token
    assert (await client.delete("/api/v1/session", headers={"X-CSRF-Token": me["csrf"]})).status_code == 204
    assert (await client.get("/api/v1/session")).status_code == 401


async def test_over_https_the_cookie_is_secure_and_bound_to_the_host(client: httpx.AsyncClient, system: System) -> None:
    system.user("wang", "operator")
    async with httpx.AsyncClient(transport=client._transport, base_url="https://bihuan.test") as safe:
        answer = await sign_in(safe)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-bihuan_session=") and "Secure" in cookie
        assert (await safe.get("/api/v1/session")).status_code == 200
        assert "strict-transport-security" in answer.headers


@pytest.mark.parametrize("sent", [None, "", "wrong", "é"])
async def test_a_write_by_cookie_without_the_right_csrf_token_is_refused(
    client: httpx.AsyncClient, system: System, sent: str | None
) -> None:
    system.user("wang", "administrator")
    await sign_in(client)
    headers = {} if sent is None else {"X-CSRF-Token": sent.encode("latin-1")}
    answer = await client.post("/api/v1/tokens", json={"role": "operator"}, headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]


async def test_another_sessions_csrf_token_does_not_do(client: httpx.AsyncClient, system: System) -> None:
    system.user("wang", "administrator")
    first = (await sign_in(client)).json()["csrf"]
    await sign_in(client)
    assert (await client.post("/api/v1/tokens", json={"role": "operator"}, headers={"X-CSRF-Token": first})).status_code == 403


async def test_the_same_answer_for_an_unknown_name_and_a_wrong_password(client: httpx.AsyncClient, system: System) -> None:
    system.user("wang", "operator")
    wrong, unknown = await sign_in(client, "wang", "not the password"), await sign_in(client, "nobody", "not the password")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert verify_password(NOBODYS_HASH, "anything at all") is False


async def test_guessing_is_throttled_for_a_name_from_an_address(client: httpx.AsyncClient, system: System) -> None:
    system.user("wang", "operator")
    statuses = [(await sign_in(client, "wang", f"guess {n}")).status_code for n in range(10)]
    assert statuses == [401] * 8 + [429] * 2
    barred = await sign_in(client)  # even with the right one, for now
    assert barred.status_code == 429 and int(barred.headers["retry-after"]) > 0


def test_the_throttle_forgets_after_its_window_and_counts_an_address_over_all_names() -> None:
    at = [0.0]
    throttle = Throttle(failures=2, failures_of_address=4, window=60, clock=lambda: at[0])
    for name in ("a", "a", "b", "b"):
        throttle.begin(name, "10.0.0.1")
    for name in ("a", "c"):
        with pytest.raises(Throttled):
            throttle.begin(name, "10.0.0.1")
    throttle.begin("a", "10.0.0.2")  # a colleague elsewhere is not locked out
    at[0] = 61.0
    throttle.begin("a", "10.0.0.1")


def test_a_success_gives_the_attempt_back() -> None:
    throttle = Throttle(failures=2, failures_of_address=2, window=60, clock=lambda: 0.0)
    for _ in range(20):
        throttle.begin("a", "10.0.0.1")
        throttle.succeeded("a", "10.0.0.1")


async def test_a_changed_password_ends_every_other_session(client: httpx.AsyncClient, system: System) -> None:
    system.user("wang", "operator")
    async with httpx.AsyncClient(transport=client._transport, base_url="http://bihuan.test") as elsewhere:
        await sign_in(elsewhere)
        csrf = (await sign_in(client)).json()["csrf"]
        change = {"old": PASSWORD, "new": "a whole new password"}
        refused = await client.post("/api/v1/session/password", json={**change, "old": "wrong"}, headers={"X-CSRF-Token": csrf})
        assert refused.status_code == 403
        done = await client.post("/api/v1/session/password", json=change, headers={"X-CSRF-Token": csrf})
        assert done.status_code == 204
        assert (await client.get("/api/v1/session")).status_code == 200
        assert (await elsewhere.get("/api/v1/session")).status_code == 401
    assert (await sign_in(client)).status_code == 401
    assert (await sign_in(client, "wang", change["new"])).status_code == 200


async def test_a_disabled_person_is_out_at_once_and_the_last_administrator_stays(client: httpx.AsyncClient, system: System) -> None:
    system.user("wang", "operator")
    system.user("root", "administrator")
    await sign_in(client)
    async with httpx.AsyncClient(transport=client._transport, base_url="http://bihuan.test") as administrator:
        administrator.headers["X-CSRF-Token"] = (await sign_in(administrator, "root")).json()["csrf"]
        assert (await administrator.patch("/api/v1/users/wang", json={"disabled": True})).json()["disabled"] is True
        assert (await client.get("/api/v1/session")).status_code == 401
        assert (await sign_in(client)).status_code == 401
        last = await administrator.patch("/api/v1/users/root", json={"disabled": True})
        assert last.status_code == 409 and last.json()["pointer"] == "/disabled"


async def test_a_session_ends_by_time(system: System) -> None:
    system.user("wang", "operator")
    with system.database.write() as connection:
        secret, _ = accounts.open_session(connection, "wang", now=1_000, expires_at=2_000)
        hashed = accounts.secret_hash(secret)
        assert accounts.find_session(connection, hashed, now=1_999) is not None
        assert accounts.find_session(connection, hashed, now=2_000) is None


async def test_sign_in_is_json_only_so_that_no_foreign_form_can_send_it(client: httpx.AsyncClient, system: System) -> None:
    system.user("wang", "operator")
    body = f'{{"name": "wang", "password": "{PASSWORD}"}}'
    answer = await client.post("/api/v1/session", content=body, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers


async def test_tokens_are_made_once_shown_once_and_revoked(client: httpx.AsyncClient, system: System) -> None:
    root = bearer(system.token("administrator"))
    made = await client.post("/api/v1/tokens", json={"role": "enterprise", "enterprise": "alu", "label": "NVR"}, headers=root)
    assert made.status_code == 201
    token = made.json()
    assert (await client.get("/api/v1/session", headers=bearer(token["secret"]))).json()["enterprise"] == "alu"
    listed = (await client.get("/api/v1/tokens", headers=root)).json()["items"]
    assert token["id"] in {t["id"] for t in listed} and all("secret" not in t for t in listed)
    assert (await client.delete(f"/api/v1/tokens/{token['id']}", headers=root)).json()["revoked_at"] is not None
    assert (await client.get("/api/v1/session", headers=bearer(token["secret"]))).status_code == 401


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"role": "enterprise"}, "/enterprise"), ({"role": "operator", "enterprise": "alu"}, "/enterprise"),
     ({"role": "enterprise", "enterprise": "nobody"}, "/enterprise"), ({"role": "king"}, "/role"), ({"role": "operator", "x": 1}, "/x")],
)  # fmt: skip
async def test_a_token_that_does_not_fit_is_refused_by_field(
    client: httpx.AsyncClient, system: System, body: dict[str, object], pointer: str
) -> None:
    answer = await client.post("/api/v1/tokens", json=body, headers=bearer(system.token("administrator")))
    assert answer.status_code == 422 and answer.json()["pointer"] == pointer


@pytest.mark.parametrize("header", ["Basic d2FuZzp4", "Bearer", "Bearer ", "Bearer nonsense", "bh_x"])
async def test_a_broken_authorization_header_is_401_even_beside_a_good_cookie(
    client: httpx.AsyncClient, system: System, header: str
) -> None:
    system.user("wang", "operator")
    await sign_in(client)
    assert (await client.get("/api/v1/incidents", headers={"Authorization": header})).status_code == 401


async def test_a_known_token_keeps_the_door_open_while_sql_is_away(
    client: httpx.AsyncClient, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hazards.errors import StorageUnavailable
    from tests.api.conftest import alarm

    known, unknown = bearer(system.token("operator")), bearer("bh_unknown")
    assert (await client.get("/api/v1/session", headers=known)).status_code == 200

    async def away(_work: object) -> None:
        raise StorageUnavailable("connection refused")

    monkeypatch.setattr(system.database, "reading", away)
    assert (await client.post("/api/v1/alarms", json=alarm("a"), headers=known)).status_code == 202
    refused = await client.post("/api/v1/alarms", json=alarm("b"), headers=unknown)
    assert refused.status_code == 503 and refused.json()["retryable"] and "connection" not in refused.text
