from .gallery import Gallery
from .pages import paths

app_name = "ui"
PREFIX = "ui/"

urlpatterns = paths(Gallery)
