"""The browser workbench: `workbench app`, or `streamlit run app.py`."""

from workbench.ui.shell import run

run()
