"""``gunicorn wsgi:application`` reads this file by itself; every value comes from the service's settings."""

from app.server.configuration import *  # noqa: F403 - gunicorn takes each name as a setting
