"""`python -m tabbench`."""

from tabbench.cli import main

if __name__ == "__main__":
    main()
