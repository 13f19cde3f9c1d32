"""Settings for every test: property tests draw the same examples on every run."""

import hypothesis

hypothesis.settings.register_profile("house", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("house")
