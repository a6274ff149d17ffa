"""Dispatch requests to their calls; answer the requests that belong to no call."""

import logging
import secrets
from collections import Counter
from collections.abc import Callable

from sipmessage import Request

from cato_exchange.calls.call import Call, CallContext
from cato_exchange.calls.scripts import run_script
from cato_exchange.plan import Plan
from cato_exchange.record import CallRecord
from cato_exchange.sip.messages import ALLOW, reply, tag_of, user_of
from cato_exchange.sip.registrar import Registrar
from cato_exchange.sip.transactions import ServerTransaction

log = logging.getLogger(__name__)

_EXTENSIONS = {"timer"}
_METHODS = frozenset(ALLOW.split(", "))


class Routing:
    """Finds the call of each request by Call-ID and tags, and makes a call of each new INVITE."""

    def __init__(
        self,
        context: CallContext,
        registrar: Registrar,
        plan: Callable[[], Plan],
        began: Callable[[Call], None],
        requests: Counter[str],
    ) -> None:
        self._context = context
        self._registrar = registrar
        self._plan = plan
        self._began = began
        self._requests = requests
        self._attempts: Counter[str] = Counter()
        self._by_caller: dict[tuple[str, str], Call] = {}
        "Calls that have not ended, by Call-ID and the caller's tag."
        context.transactions.on_request = self._request
        context.transactions.on_cancel = self._cancel
        context.transactions.on_ack = self._ack

    @property
    def calls_now(self) -> int:
        return sum(call.occupies_channel for call in self._by_caller.values())

    def live_calls(self) -> list[Call]:
        return list(self._by_caller.values())

    def forget(self, call: Call) -> None:
        self._by_caller.pop((call.record.call_id, call.dialog.remote_tag), None)

    def _request(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        self._requests[request.method if request.method in _METHODS else "other"] += 1
        try:
            self._serve(transaction)
        except ValueError as error:
            # A header has an invalid value.
            log.info("request rejected as malformed", extra={"method": request.method, "reason": str(error)})
            if transaction.final_code is None:
                transaction.respond(reply(request, 400, to_tag=secrets.token_hex(6)))

    def _serve(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        in_dialog = tag_of(request.headers["To"]) is not None
        if request.method == "OPTIONS" and not in_dialog:
            headers = {"Allow": ALLOW, "Accept": "application/sdp", "Supported": "timer"}
            transaction.respond(reply(request, 200, to_tag=secrets.token_hex(6), headers=headers))
        elif request.method == "REGISTER":
            transaction.respond(self._registrar.register(request, self._plan().registration))
        elif request.method not in _METHODS:
            transaction.respond(reply(request, 405, to_tag=secrets.token_hex(6), headers={"Allow": ALLOW}))
        elif request.method == "INVITE" and not in_dialog:
            self._invite(transaction)
        else:
            call = self._call_of(request)
            if call is None:
                transaction.respond(reply(request, 481, to_tag=secrets.token_hex(6)))
            else:
                call.in_dialog.receive(transaction)

    def _invite(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        call = self._by_caller.get((request.call_id, tag_of(request.headers["From"]) or ""))
        unknown = sorted(set(request.require) - _EXTENSIONS)
        if call is not None and call.awaits_retried_invite:
            call.retry(transaction)
        elif call is not None:
            transaction.respond(reply(request, 482, to_tag=secrets.token_hex(6)))
        elif unknown:
            headers = {"Unsupported": ", ".join(unknown)}
            transaction.respond(reply(request, 420, to_tag=secrets.token_hex(6), headers=headers))
        else:
            self._new_call(transaction)

    def _new_call(self, transaction: ServerTransaction) -> None:
        """Create the call of an INVITE. Raises: ValueError if a header is invalid."""
        request = transaction.request
        plan = self._plan()
        number = request.uri.user or ""
        rule = plan.rule_for(number)
        attempt = self._attempts[number] + 1
        behaviour = rule.on_attempt(attempt)
        caller, name = user_of(request.headers["From"])
        record = CallRecord(
            call_id=request.call_id,
            number=number,
            to_number=user_of(request.headers["To"])[0],
            from_number=caller,
            caller_name=name,
            asserted_identity=user_of(request.headers.get("P-Asserted-Identity") or "")[0],
            behaviour=behaviour.behaviour,
            label=rule.label,
            attempt=attempt,
            invite_ms=transaction.arrived_ms,
        )
        call = Call(self._context, transaction, record, behaviour)
        full = plan.max_calls is not None and self.calls_now >= plan.max_calls
        self._by_caller[call.record.call_id, call.dialog.remote_tag] = call
        self._began(call)
        if full:
            call.refuse(503)
            return
        self._attempts[number] = attempt
        run_script(call, rule)

    def _cancel(self, cancel: ServerTransaction, invite: ServerTransaction | None) -> None:
        self._requests["CANCEL"] += 1
        call = None if invite is None else self._call_of(cancel.request)
        if call is not None and call.invite is invite:
            call.cancelled(cancel)
        else:
            code = 481 if invite is None else 200
            cancel.respond(reply(cancel.request, code, to_tag=secrets.token_hex(6)))

    def _ack(self, request: Request) -> None:
        call = self._call_of(request)
        if call is not None:
            call.in_dialog.ack(request)

    def _call_of(self, request: Request) -> Call | None:
        call = self._by_caller.get((request.call_id, tag_of(request.headers["From"]) or ""))
        if call is None:
            return None
        tag = tag_of(request.headers["To"])
        return call if tag is None or tag == call.dialog.local_tag else None
