"""Build logs in memory."""

from shared.errors import NotFoundError
from shared.ports import CopiedLogs
from tests.fakes.dial import Dial


class FakeBuildLogs(Dial):
    """Logs by staging group, and the copies that were made, by path."""

    def __init__(self) -> None:
        super().__init__()
        self.staged: dict[str, dict[str, bytes]] = {}
        """What Image Builder wrote, by resource group in lower case and name."""
        self.everywhere: dict[str, bytes] = {}
        """What it wrote in every group nothing is said of."""
        self.copied: dict[str, bytes] = {}

    async def copy(self, staging_group: str, folder: str) -> CopiedLogs:
        self._call("copy")
        files = self.staged.get(staging_group.lower(), self.everywhere)
        if not files:
            raise NotFoundError(f"there are no build logs in {staging_group}")
        for name, content in files.items():
            self.copied[f"{folder}/{name}"] = content
        return CopiedLogs(
            location=f"https://logs.example/build-logs/{folder}", files=tuple(sorted(files))
        )
