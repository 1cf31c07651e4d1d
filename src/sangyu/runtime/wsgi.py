"""WSGI entry for granian: pages and API."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sangyu.runtime.settings.dev")
application = get_wsgi_application()
