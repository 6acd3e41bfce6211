"""The life of a keystroke: what is at hand, what runs already, when to ask, and what of the answer is shown.

In this order: what is shown goes on; what was computed lately; the request under way, if its text still
agrees; then trigger, debounce, context and engine. Knows no LSP types. An automatic request is answered
within its deadline or empty.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from context import Plan, RepoContext
from context.syntax import Place
from engine.anchor import Anchor
from engine.backends.base import EngineInfo
from lsp_server.ahead import accepted, after_acceptance
from lsp_server.answer import Answer, Ask, Source, Stages, Trigger
from lsp_server.debounce import Rhythm
from lsp_server.diagnostics import Diagnostics
from lsp_server.documents import DocumentSnapshot
from lsp_server.engine_link import EngineLink
from lsp_server.engine_work import Finished
from lsp_server.hole import Hole
from lsp_server.in_flight import Run, Runs
from lsp_server.offers import Known, Offers
from lsp_server.planner import Planner
from lsp_server.settings import Settings
from lsp_server.starter import Starter
from lsp_server.trigger import silence
from lsp_server.typed_through import Offer
from lsp_server.warmer import Warmer

AUTOMATIC_SECONDS = 1.8
"""No automatic answer comes later than two seconds after it was asked for."""
INVOKED_SECONDS = 30.0
PATIENCE_SECONDS = 0.35
"""So long whole lines are kept back that the model has written, in the hope of the rest of their block."""
MAX_ALTERNATIVES = 3
AUTO_MIN_CONFIDENCE = 0.5
"""For `inline.minConfidence` `auto`; from the risk-coverage curve in benchmarks/README.md."""


class Pipeline:
    """Answers asks; one for the whole session. Lives on the event loop."""

    def __init__(
        self,
        settings: Settings,
        context: RepoContext,
        planner: Planner,
        link: EngineLink,
        diagnostics: Diagnostics | None = None,
    ) -> None:
        self.rhythm = Rhythm()
        self._starter = Starter(settings, context, planner, link, diagnostics or Diagnostics())
        self._runs = Runs()
        self._offers: dict[str, Offers] = {}
        self._texts: dict[str, str] = {}
        self._latest: dict[str, Ask] = {}
        self._warmer = Warmer(self._starter.read, self._runs.is_free)
        planner.on_renewed = self._renewed

    @property
    def settings(self) -> Settings:
        """What is in effect; may be set anew at any time."""
        return self._starter.settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._starter.settings = settings

    def use(self, context: RepoContext, planner: Planner) -> None:
        """The workspace has changed."""
        self._starter.use(context, planner)
        planner.on_renewed = self._renewed

    def close(self) -> None:
        """Nothing is begun any more."""
        self._warmer.close()

    async def prepare(self, snapshot: DocumentSnapshot) -> None:
        """Have the document's plan ready for its first request, and the engine have read it."""
        if (info := await self._starter.info()) is not None:
            await self._starter.plan(snapshot, 0, info, None, is_guess=True)
            if snapshot.uri not in self._latest:
                self._warmer.now(Ask(snapshot, 0, Trigger.AUTOMATIC))

    async def plan(
        self, snapshot: DocumentSnapshot, offset: int, info: EngineInfo, deadline_s: float | None
    ) -> Plan | None:
        """What the repository says to a place, as the next key there would be answered with."""
        return await self._starter.plan(snapshot, offset, info, deadline_s)

    def anchor(self, uri: str) -> Anchor | None:
        """Where the frozen part of the document's last prompt ended."""
        return self._starter.anchor(uri)

    def note_text(self, snapshot: DocumentSnapshot) -> None:
        """The document has changed: work that its text contradicts ends now."""
        self.rhythm.note_key(time.monotonic())
        self._warmer.stir()
        self._texts[snapshot.uri] = snapshot.text
        self._runs.note_text(snapshot.uri, snapshot.text)

    def note_latest(self, ask: Ask) -> None:
        """This is now the document's newest question; call it before the older one is cancelled."""
        self._latest[ask.snapshot.uri] = ask

    def note_seen(self, offer_id: str) -> None:
        """The editor shows this completion, which may be another one than the first that it was given."""
        for uri, offers in self._offers.items():
            offer, shown = offers.find_named(offer_id), offers.shown
            if offer is not None and (shown is None or shown.id != offer_id):
                offers.show(offer)
                self._look_ahead(self._latest[uri], offer)

    def forget(self, uri: str) -> None:
        """The document is closed."""
        self._warmer.stir()
        self._runs.stop(uri)
        for kept in (self._offers, self._texts, self._latest):
            kept.pop(uri, None)
        self._starter.forget(uri)

    async def answer(self, ask: Ask) -> Answer:
        """What to show."""
        started = time.perf_counter()
        self.note_latest(ask)
        stages = Stages()
        answer = await (self._invoked if ask.is_invoked else self._automatic)(ask, stages)
        if answer.offers:
            if answer.source is not Source.TYPED_THROUGH:
                self._offers_of(ask).show(answer.offers[0])
            self._look_ahead(ask, answer.offers[0])
        self._warmer.rest(ask)
        stages.total_ms = (time.perf_counter() - started) * 1000
        return replace(answer, stages=stages)

    def _renewed(self, uri: str) -> None:
        """The document's plan says something new: let the engine read it before the next key."""
        ask = self._latest.get(uri)
        if ask is not None and self._texts.get(uri, ask.snapshot.text) == ask.snapshot.text:
            self._warmer.now(ask)

    async def _automatic(self, ask: Ask, stages: Stages) -> Answer:
        uri, hole = ask.snapshot.uri, ask.hole()
        known = self._offers_of(ask).find(hole, self._starter.segments_now(uri))
        run = self._runs.serving(uri, hole)
        if known is not None and (known.offer.text or run is None):
            return self._of_known(known)
        try:
            async with asyncio.timeout(AUTOMATIC_SECONDS) as limit:
                if run is not None and (answer := await self._of_run(ask, hole, run, stages)) is not None:
                    return answer
                self._runs.stop(uri)
                return await self._from_engine(ask, hole, stages, limit.when())
        except TimeoutError:
            self._runs.stop(uri)
            return Answer(reason="out of time")

    async def _from_engine(self, ask: Ask, hole: Hole, stages: Stages, deadline: float | None) -> Answer:
        place = self._starter.place(ask.snapshot, hole)
        is_named = ask.snapshot.path is not None
        if reason := silence(hole, place, self.settings.inline, is_named=is_named):
            return Answer(reason=reason)
        await self._debounce(hole, stages)
        run = await self._begin(ask, place, stages, deadline)
        if run is None:
            return Answer(reason="no engine")
        return await self._of_run(ask, hole, run, stages) or Answer(reason="interrupted")

    async def _invoked(self, ask: Ask, stages: Stages) -> Answer:
        """Always asks, unless alternatives for this very place are known."""
        hole, offers, source = ask.hole(), self._offers_of(ask), Source.CACHE
        try:
            async with asyncio.timeout(INVOKED_SECONDS):
                if len(offers.alternatives(hole)) < 2:
                    source = Source.ENGINE
                    place = self._starter.place(ask.snapshot, hole)
                    run = await self._begin(ask, place, stages, None)
                    while run is not None and not run.is_over:
                        await self._wait(ask, run, None)
        except TimeoutError:
            self._runs.stop(ask.snapshot.uri)
        found = tuple(offers.alternatives(hole)[:MAX_ALTERNATIVES])
        if not found:
            return Answer(reason="nothing to say")
        return Answer(found, source, confidence=found[0].confidence)

    async def _of_run(self, ask: Ask, hole: Hole, run: Run, stages: Stages) -> Answer | None:
        """What a run says to the place, as soon as that can be told; None if it went another way."""
        loop = asyncio.get_running_loop()
        patience_ends = loop.time() + PATIENCE_SECONDS
        source = Source.ENGINE if run.asked.hole == hole else Source.RUNNING
        while not run.is_over and run.agrees(hole):
            left = patience_ends - loop.time()
            if left <= 0 and (early := run.whole_lines()) is not None:
                rest = early.rest_at(hole)
                return None if rest is None else self._gated(rest, source)
            await self._wait(ask, run, left if left > 0 else None)
        if not run.agrees(hole) or run.finished is None:
            return None
        stages.engine = run.finished.completion.timings if run.finished.completion else None
        if not run.finished.offers:
            return None
        rests = [rest for offer in run.finished.offers if (rest := offer.rest_at(hole)) is not None]
        return self._gated(rests[0], source) if rests else Answer(reason="nothing to say")

    async def _wait(self, ask: Ask, run: Run, seconds: float | None) -> None:
        """For more of the run's text. Who is cancelled here takes the engine's work along, unless a newer
        question or text that agrees can still make use of it.
        """
        try:
            async with asyncio.timeout(seconds) as limit:
                await run.more()
        except TimeoutError:
            if not limit.expired():
                raise
        except asyncio.CancelledError:
            uri = ask.snapshot.uri
            is_same_text = self._texts.get(uri, ask.snapshot.text) == ask.snapshot.text
            if self._latest.get(uri) is ask and is_same_text:
                self._runs.stop(uri)
            raise

    async def _debounce(self, hole: Hole, stages: Stages) -> None:
        seconds = self.rhythm.debounce_s(hole, self.settings.inline.debounce_ms)
        stages.debounce_ms += seconds * 1000
        if seconds:
            await asyncio.sleep(seconds)

    async def _begin(
        self, ask: Ask, place: Place | None, stages: Stages, deadline: float | None
    ) -> Run | None:
        run = await self._starter.start(
            ask,
            place,
            stages,
            self._noting(ask, with_latency=not ask.is_invoked),
            deadline=deadline,
            num_answers=MAX_ALTERNATIVES if ask.is_invoked else 1,
            drafts=self._offers_of(ask).drafts(ask.hole()),
        )
        return None if run is None else self._runs.begin(ask.snapshot.uri, run)

    def _look_ahead(self, ask: Ask, offer: Offer) -> None:
        """Compute what follows an acceptance while the user reads."""
        uri = ask.snapshot.uri
        asked = after_acceptance(offer) if self.settings.inline.speculate else None
        ahead = self._runs.ahead_of(uri)
        if asked is None or (ahead is not None and ahead.asked == asked) or not self._runs.is_idle(uri):
            return
        if self._offers_of(ask).find(asked.beyond, self._starter.segments_now(uri)) is not None:
            return
        run = self._starter.start_ahead(ask, asked, self._noting(ask, with_latency=False))
        if run is not None:
            self._runs.begin_ahead(uri, run)

    def _noting(self, ask: Ask, *, with_latency: bool) -> Callable[[Finished], None]:
        offers = self._offers_of(ask)

        def note(finished: Finished) -> None:
            for offer in reversed(finished.offers):  # the newest of equals is found first
                if offer.end_probability:  # the model has said already that nothing comes behind it
                    offers.add(Offer(accepted(offer), "", offer.id, segments=offer.segments))
                offers.add(offer)
            if with_latency and finished.completion is not None:
                self.rhythm.note_answer(finished.completion.timings.total_ms / 1000)

        return note

    def _offers_of(self, ask: Ask) -> Offers:
        return self._offers.setdefault(ask.snapshot.uri, Offers())

    def _of_known(self, known: Known) -> Answer:
        if not known.offer.text:
            return Answer(source=Source.CACHE, reason="nothing to say")
        if known.is_shown:
            return Answer((known.offer,), Source.TYPED_THROUGH, confidence=known.offer.confidence)
        return self._gated(known.offer, Source.AHEAD if known.offer.is_ahead else Source.CACHE)

    def _gated(self, offer: Offer, source: Source) -> Answer:
        """What the model was not sure of is not shown."""
        if not offer.text:
            return Answer(source=source, reason="nothing to say")
        wanted, confidence = self.settings.inline.min_confidence, offer.confidence
        least = AUTO_MIN_CONFIDENCE if wanted == "auto" else wanted
        if confidence is not None and confidence < least:
            return Answer(source=source, reason="not sure", hidden=offer.text, confidence=confidence)
        return Answer((offer,), source, confidence=confidence)
