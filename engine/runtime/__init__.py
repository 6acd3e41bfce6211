"""The only room with torch: weights, slots, prefill and decode. Token ids in, token ids out."""

import os

# Before torch loads OpenMP: threads that wait sleep instead of spinning. An editor shares the machine, and
# spinning threads that compete with a busy neighbour made prefill ten times slower (measured on two cores).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# oneDNN keeps compiled kernels for each shape it has met, and every prompt length is a shape: with the
# default of 1,024 the engine grew by 2 MB a request, to 1.9 GB after 500; with 64 it does not, equally fast.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
os.environ.setdefault("LRU_CACHE_CAPACITY", "64")
