"""What every Python client of these tests shares."""

import os

PORTAL = os.environ["PORTAL"]
USERNAME = os.environ["PORTAL_USERNAME"]
PASSWORD = os.environ["PORTAL_PASSWORD"]
SERVICE_TOKEN = os.environ["PORTAL_SERVICE_TOKEN"]


def step(name):
    """Tell the test that a step is done."""
    print("step", name, flush=True)


def version(text):
    print("version", text, flush=True)
