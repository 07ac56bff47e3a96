"""`python -m vaelab`."""

from vaelab.cli import main

main()
