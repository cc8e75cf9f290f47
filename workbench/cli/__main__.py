"""``python -m workbench.cli`` is the command line too."""

from workbench.cli import main

if __name__ == "__main__":
    main()
