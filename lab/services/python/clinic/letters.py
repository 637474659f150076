"""Letters to patients, from templates on disk."""
import os


def render_letter(number):
    path = os.path.join(os.environ.get("TEMPLATE_DIR", os.path.dirname(__file__)), "letter.txt")
    with open(path, encoding="utf-8") as template:
        return template.read().format(number=number)
