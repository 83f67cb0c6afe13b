"""Imported before the first test: torch changes the filters of warnings, and no test may seem to do that."""

import torch

assert torch
