"""In-memory Azure for the steps' unit tests, behind the ports; time passes by looking.

What takes Azure minutes takes a number of looks here. The fakes pass the contract suites of the
real gateways in `tests/contract/gateways`.
"""

from tests.fakes.gallery import FakeGallery
from tests.fakes.image_builder import FakeImageBuilder
from tests.fakes.marketplace import FakeMarketplace
from tests.fakes.verification_vms import FakeVerificationVms

__all__ = ["FakeGallery", "FakeImageBuilder", "FakeMarketplace", "FakeVerificationVms"]
