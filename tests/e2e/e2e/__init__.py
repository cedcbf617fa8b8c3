"""The parts of tests/e2e/run; its README tells what is where."""
