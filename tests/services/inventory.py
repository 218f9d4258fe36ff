"""flask_service under the name of this script."""
from flask_service import serve

serve()
