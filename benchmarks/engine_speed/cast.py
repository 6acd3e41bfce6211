"""Who takes part on a CPU: starts every peer with the built-in weights. Knows what each is asked with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.engine_speed import table
from benchmarks.engine_speed.gguf_file import ExportError, cached_file
from benchmarks.engine_speed.ours import Ours
from benchmarks.engine_speed.peer import Child, ChildError, ChildPeer, Peer
from benchmarks.engine_speed.scene import Scene, Typist, prompt_text, psm_ids, read_layout, read_scene
from benchmarks.engine_speed.words import Burden
from engine.fim import Order

_HERE = __package__
PROBE_TOKENS, PROBE_KEYS = 2048, 3
OURS_FLAGS: dict[str, dict[str, str]] = {table.OURS: {}, table.OURS_BF16: {"dtype": "bfloat16"}}
"""What the engine is told, and `load_model` to know the bytes: its default for the built-in model is int8."""


class Cast:
    """The peers of one run, and the machine's rates."""

    def __init__(self, folder: Path, max_tokens: int, *, quick: bool) -> None:
        self._folder = folder
        self._max_tokens = max_tokens
        self._quick = quick
        self._rates = Child(f"{_HERE}.rates_child", ())
        self.threads = int(self._rates.wait_ready()["threads"])
        self.gb_per_s = 0.0
        self.measure_copy()
        self.peers: list[Peer] = []
        self._layout = read_layout()
        self._psm = read_layout(Order.PSM)
        self._typist = Typist(self._layout)

    def start(self) -> None:
        """Start everybody at once, then wait until they are ready; says on stderr who is missing."""
        waiting: list[Peer] = [
            self._ours(name) for name in OURS_FLAGS if name == table.OURS or not self._quick
        ]
        waiting += self._transformers_peers()
        waiting += self._llamacpp_peers()
        for peer in waiting:
            try:
                peer.wait_ready()
            except ChildError as error:
                if not peer.name.startswith("llama.cpp"):
                    raise
                _tell(f"{peer.name} is left out: {error}")
                peer.close()
            else:
                self.peers.append(peer)

    @property
    def ours(self) -> Ours:
        """Our engine at its default precision."""
        return next(peer for peer in self.peers if isinstance(peer, Ours) and peer.name == table.OURS)

    def measure_copy(self) -> None:
        """Measure the copy bandwidth again; the best counts, for others may disturb it."""
        self.gb_per_s = max(self.gb_per_s, float(self._rates.ask({})["gb_per_s"]))

    def close(self) -> None:
        """End every process."""
        for peer in self.peers:
            peer.close()
        self._rates.close()

    def _ours(self, name: str) -> Ours:
        options = OURS_FLAGS[name]
        burden = Burden(**self._rates.ask({"dtype": "auto", **options}))
        flags = [word for key, value in options.items() for word in (f"--{key}", value)]
        return Ours(name, burden, self._folder, flags, self.threads)

    def _transformers_peers(self) -> list[Peer]:
        if self._quick:
            # A kept cache makes passes short, where keys and values in float32 are read faster.
            return [self._transformers("generate", "auto"), self._transformers("cached", "float32")]
        return [self._faster("generate"), self._faster("cached")]

    def _faster(self, mode: str) -> Peer:
        """The peer in bf16 or fp32, whichever answers sooner on a short scene."""
        scene = read_scene(self._layout, PROBE_TOKENS, PROBE_KEYS)
        both = {dtype: self._transformers(mode, dtype) for dtype in ("bfloat16", "float32")}
        seconds: dict[str, float] = {}
        for dtype, peer in both.items():
            peer.wait_ready()
            seconds[dtype] = min([peer.ask(scene, key).ms for key in range(PROBE_KEYS)][1:])
            peer.close()
        best = min(seconds, key=seconds.__getitem__)
        _tell(f"transformers, {mode}: {best} is the faster ({', '.join(map(_told, seconds.items()))})")
        return self._transformers(mode, best)

    def _transformers(self, mode: str, dtype: str) -> Peer:
        name = table.TRANSFORMERS if mode == "generate" else table.TRANSFORMERS_CACHED
        prompt = self._psm_text if mode == "generate" else self._psm_ids
        return self._child(name, "transformers_child", ["--mode", mode, "--dtype", dtype], prompt)

    def _llamacpp_peers(self) -> list[Peer]:
        wanted: list[tuple[str, str, Callable[[Scene, int], dict[str, Any]]]] = [
            (table.LLAMACPP, "q8_0", self._psm_ids)
        ]
        if not self._quick:
            wanted += [
                (table.LLAMACPP_F16, "f16", self._psm_ids),
                (table.LLAMACPP_OUR_LAYOUT, "q8_0", self._our_ids),
            ]
        try:
            files = {kind: cached_file(kind) for _, kind, _ in wanted}
        except ExportError as error:
            _tell(f"llama.cpp is left out: {error}")
            return []
        room = ["--context", str(self._max_tokens)]
        return [
            self._child(name, "llamacpp_child", ["--file", str(files[kind]), *room], prompt)
            for name, kind, prompt in wanted
        ]

    def _child(
        self, name: str, module: str, flags: Sequence[str], prompt: Callable[[Scene, int], dict[str, Any]]
    ) -> Peer:
        return ChildPeer(name, Child(f"{_HERE}.{module}", flags, self.threads), prompt)

    def _psm_ids(self, scene: Scene, num_keys: int) -> dict[str, Any]:
        return {"ids": psm_ids(self._psm, scene, num_keys)}

    def _psm_text(self, scene: Scene, num_keys: int) -> dict[str, Any]:
        ids = psm_ids(self._psm, scene, num_keys)
        return {"text": prompt_text(self._psm.tokenizer, self._psm.fim, ids)}

    def _our_ids(self, scene: Scene, num_keys: int) -> dict[str, Any]:
        return {"ids": self._typist.request(scene, num_keys).prompt_ids}


def _told(pair: tuple[str, float]) -> str:
    return f"{pair[0]} {pair[1]:.0f} ms"


def _tell(message: str) -> None:
    print(f"engine_speed: {message}", file=sys.stderr, flush=True)
