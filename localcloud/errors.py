"""What can go wrong when the local cloud is started or used."""


class LocalCloudError(Exception):
    """Any failure of the local cloud itself, as opposed to the app it runs."""


class PortTakenError(LocalCloudError):
    """A port somebody asked for is already in use."""

    def __init__(self, port: int, setting: str) -> None:
        self.port = port
        self.setting = setting
        super().__init__(
            f"Port {port} ({setting}) is in use by another program: "
            f"stop that program or give {setting} another port (0 picks a free one)."
        )


class NodeMissingError(LocalCloudError):
    """There is no Node.js to run Azurite with."""


class AzuriteError(LocalCloudError):
    """Azurite could not be installed, started or stopped."""


class FunctionsHostError(LocalCloudError):
    """The Functions host could not start, or was asked for something it cannot do."""
