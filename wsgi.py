"""What gunicorn serves: ``gunicorn -c gunicorn.conf.py wsgi:application``."""

from app import create_app
from app.config import Settings

application = create_app(Settings.load())
