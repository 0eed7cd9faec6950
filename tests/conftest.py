"""What every test may use."""

from hypothesis import HealthCheck, settings

# A slow machine makes no example wrong.
settings.register_profile("assay", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("assay")

pytest_plugins = ["tests.arm_plugin", "tests.azurite_plugin"]
