from django.apps import AppConfig


class CodeConfig(AppConfig):
    name = "whytree.code"
    label = "code"
    default_auto_field = "django.db.models.BigAutoField"
