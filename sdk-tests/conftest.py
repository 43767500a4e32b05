"""The emulators that `sdk-tests/run` has started."""

import json
import os
from itertools import count
from urllib.request import Request, urlopen

import pytest

numbers = count(1)


class Emulator:
    """One vendor's emulator: where its API listens, and its clock."""

    def __init__(self, vendor):
        self.address = os.environ.get(f"ROTAPROBE_{vendor.upper()}")
        self.control = os.environ.get(f"ROTAPROBE_{vendor.upper()}_CONTROL")
        if not self.address or not self.control:
            pytest.exit("no emulator: start the tests with sdk-tests/run", 2)

    def advance(self, seconds):
        """Moves the emulator's clock forward, as if that time had passed."""
        self._post("/clock/advance", {"seconds": seconds})

    def reset(self):
        """Forgets all secrets, and sets the clock right."""
        self._post("/reset")

    def _post(self, path, body=None):
        data = json.dumps(body).encode() if body else b""
        with urlopen(Request(f"http://{self.control}{path}", data, method="POST"), timeout=10) as answer:
            assert answer.status == 200


@pytest.fixture
def emulator(request):
    """The emulator of the vendor that the test's module names, as good as new."""
    emulator = Emulator(request.module.VENDOR)
    emulator.reset()
    return emulator


@pytest.fixture
def name(request):
    """A secret name that no other test uses."""
    return f"sdk-{next(numbers)}-{request.node.originalname}"[:64]
