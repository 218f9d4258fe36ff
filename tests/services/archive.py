"""flask_service under the name of this module, as its WSGI application."""
from flask_service import app

__all__ = ["app"]
