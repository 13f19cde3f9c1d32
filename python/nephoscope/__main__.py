"""`python -m nephoscope`."""

from nephoscope.cli import main

main(prog_name="nephoscope")
