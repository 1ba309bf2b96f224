"""The scanner against the reference decoder, on as many mutated messages as one likes.

    python tests/benchmarks/fuzz_decoders.py --messages 10000000 --first 0

Prints how many there were, how many were accepted, how many of those by the scanner itself. The first seed that makes a
difference is printed with the message, and the exit status is 1: keep the seed in tests/decode/failed_seeds.txt.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "decode"))

from comparing import Rows, batch_of, said
from mutations import Messages

from engine.decode.scanner import ScanningDecoder
from engine.wire.reference import ReferenceDecoder

AT_ONCE = 500
BATCHES = 20


def seed_agrees(seed: int) -> tuple[int, int, int]:
    """(messages, measurements accepted, records left to the reference) of a seed; AssertionError where they differ."""
    messages = Messages(seed)
    scanner, reference, rows, other = ScanningDecoder(run_max=1), ReferenceDecoder(), Rows(), Rows()
    accepted = 0
    for number in range(BATCHES):
        batch = batch_of([messages.record() for _ in range(AT_ONCE)], base=number * AT_ONCE)
        found, expected = said(scanner, batch, rows), said(reference, batch, other)
        for one, two in zip(found, expected, strict=False):
            assert one == two, f"scanner: {one}\nreference: {two}"
        assert len(found) == len(expected)
        accepted += sum(len(each) == 9 for each in found[:-1])
    return BATCHES * AT_ONCE, accepted, scanner.left


def main() -> int:
    """Run seeds until there were enough messages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    arguments = parser.parse_args()
    began, messages, accepted, left = time.monotonic(), 0, 0, 0
    for seed in count(arguments.first):
        if messages >= arguments.messages:
            break
        try:
            more = seed_agrees(seed)
        except AssertionError as error:
            print(f"seed {seed}: they differ\n{error}")
            return 1
        messages, accepted, left = messages + more[0], accepted + more[1], left + more[2]
    seconds = time.monotonic() - began
    print(f"{messages:,} messages, {accepted:,} measurements accepted, {left:,} records left to the reference decoder")
    print(f"no difference, in {seconds:,.0f} s; the next seed is {seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
