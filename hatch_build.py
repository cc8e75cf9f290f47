"""What lies beside the package in the repository lies inside it in the wheel."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BESIDE_THE_PACKAGE = ("app.py", ".streamlit", "sample_dbs", "schemas")


class IncludeWhatLiesBeside(BuildHookInterface):
    """Copies the app, its settings, the samples and the schemas into the wheel.

    An editable install leaves them where they are: the code looks in its own folder
    first and then in that folder's parent, so a copy would only grow stale.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files to the wheel, unless the install is editable."""
        if version != "editable":
            build_data["force_include"].update(
                {name: f"workbench/{name}" for name in BESIDE_THE_PACKAGE}
            )
