"""The only room with torch: weights, slots, prefill and decode. Token ids in, token ids out."""

import os

# Before torch loads OpenMP: threads that wait sleep instead of spinning. An editor shares the machine, and
# spinning threads that compete with a busy neighbour made prefill ten times slower (measured on two cores).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
