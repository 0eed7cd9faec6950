"""What every test may use."""

pytest_plugins = ["tests.arm_plugin", "tests.azurite_plugin"]
