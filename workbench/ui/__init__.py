"""The browser workbench, the only part that knows Streamlit."""
