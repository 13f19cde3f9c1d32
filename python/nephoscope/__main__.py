"""`python -m nephoscope` is the `nephoscope` command."""

from nephoscope.cli import main

# Workers of MPI run the module that they are to work for, under another name.
if __name__ == "__main__":
    main(prog_name="nephoscope")
