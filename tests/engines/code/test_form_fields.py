"""Who reads a form field: never a false "nobody"."""

import re
from collections.abc import Collection, Iterable
from textwrap import dedent

import pytest

from whytree.engines.code.python.carriers import CARRIERS
from whytree.engines.code.python.fields import FieldFinder, FieldReads, loose
from whytree.engines.code.python.names import Module, Project, word

FORM = """\
    from django import forms


    class SignUp(forms.Form):
        email = forms.EmailField()
        company_size = forms.ChoiceField(choices=[])

        def clean_email(self):
            return self.cleaned_data["email"].lower()
    """
VIEW = """\
    from app.form import SignUp


    def sign_up(request):
        form = SignUp(request.POST or None)
        if not form.is_valid():
            return render(request, "sign_up.html", {"form": form})
        return open_account(email=form.cleaned_data["email"])
    """
APP = {"app/form.py": FORM, "app/views.py": VIEW, "app/__init__.py": ""}


def look(files: dict[str, str], name: str = "company_size") -> FieldReads:
    texts = {path: dedent(text).encode() for path, text in files.items()}
    project = Project(texts, texts.get)

    def naming(names: Collection[str]) -> Iterable[Module]:
        pattern = word(names)
        paths = [path for path, text in texts.items() if path.endswith(".py") and pattern.search(text)]
        return [module for path in paths if (module := project.module(path))]

    carrying = [path for path, text in texts.items() if path.endswith(".py") and re.search(CARRIERS.encode(), text)]
    finder = FieldFinder(project, [module for path in carrying if (module := project.module(path))], naming)
    pattern = re.compile(loose(name).encode())
    return finder.look(name, {path: text for path, text in texts.items() if pattern.search(text)})


def with_file(path: str, text: str) -> dict[str, str]:
    return {**APP, path: text}


def test_a_field_that_no_code_takes_out_of_its_form_is_read_by_nobody() -> None:
    found = look(APP)
    assert (found.verdict, found.says) == ("nobody", "No code reads company_size.")
    assert [(one.path, one.line) for one in found.defined] == [("app/form.py", 6)]


def test_tests_that_fill_it_in_do_not_read_it() -> None:
    found = look(with_file("tests/test_form.py", 'def test(client):\n    client.post("/", {"company_size": "1"})\n'))
    assert (found.verdict, found.says) == ("nobody", "No code reads company_size, only tests name it.")


@pytest.mark.parametrize(
    "code",
    [
        "x = form.cleaned_data['company_size']",
        "x = form.cleaned_data.get('company_size')",
        "x = request.POST['company_size']",
        "x = account.company_size",
        "x = form['company_size'].value()",
        "x = getattr(account, 'company_size')",
        "Account.objects.filter(company_size=3)",
        "Account.objects.filter(company_size__in=[3])",
        "Account.objects.values_list('company_size')",
        "x = account.get_company_size_display()",
        "db.execute('SELECT company_size FROM account')",
        "match account:\n    case Account(company_size=size):\n        pass",
        "match data:\n    case {'company_size': size}:\n        pass",
        "read = operator.itemgetter('company_size')",
        "list_display = ['email', 'company_size']",
    ],
)
def test_whatever_names_it_outside_of_the_form_is_a_place_that_may_read_it(code: str) -> None:
    assert look(with_file("app/use.py", code + "\n")).verdict != "nobody"


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("\nx = form.cleaned_data['company_size']", 2),
        ("def f(form):\n    data = form.cleaned_data\n    return data['company_size']", 3),
        ("x = account.company_size", 1),
    ],
)
def test_a_reader_is_named_with_its_line(code: str, line: int) -> None:
    found = look(with_file("app/use.py", code + "\n"))
    assert (found.verdict, found.reads[0].path, found.reads[0].line) == ("read", "app/use.py", line)


def test_another_method_of_the_form_reads_it_and_its_own_check_does_not() -> None:
    checks = FORM + "\n        def clean_company_size(self):\n            return self.cleaned_data['company_size']\n"
    assert look({**APP, "app/form.py": checks}).verdict == "nobody"
    saves = FORM + "\n        def book(self):\n            return Booking(self.cleaned_data['company_size'])\n"
    assert look({**APP, "app/form.py": saves}).verdict == "read"


def test_drawing_the_field_is_no_reading() -> None:
    files = {
        **APP,
        "templates/sign_up.html": (
            '<label for="id_company_size">Size</label>{{ form.company_size }}'
            '{{ form.company_size.errors }}<input name="company_size">'
        ),
        "app/more.py": "def f(form):\n    form.fields['company_size'].help_text = 'x'\n    del form.fields['company_size']\n",
        "README.md": "The field company_size is asked.\n",
    }
    assert look(files).verdict == "nobody"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("templates/account.html", "{{ account.company_size }}"),
        ("templates/account.html", "{% if user.company_size == 3 %}big{% endif %}"),
        ("templates/form.html", "<script>send(fields.company_size)</script>"),
        ("static/app.js", "send(data.company_size)"),
        ("report.sql", "SELECT company_size FROM account"),
        ("export.yml", "columns: [email, company_size]"),
        ("app/old.py", 'print "company_size"'),
    ],
)
def test_other_files_that_name_it_are_never_overlooked(path: str, text: str) -> None:
    assert look(with_file(path, text)).verdict in ("read", "unsure")
    assert look(with_file(path, text)).verdict != "nobody"


HIDERS = {
    "getattr": "def f(form, names):\n    return [getattr(form, name) for name in names]\n",
    "getattr on a record": "def f(account, names):\n    return {name: getattr(account, name) for name in names}\n",
    "getattr of the data": "def f(form):\n    return getattr(form, 'cleaned_data')\n",
    "keywords": "def f(form):\n    Account.objects.create(**form.cleaned_data)\n",
    "items": "def f(form):\n    for name, value in form.cleaned_data.items():\n        save(name, value)\n",
    "a name made at run time": "def f(form, part):\n    return form.cleaned_data[f'company_{part}']\n",
    "get with a variable": "def f(form, name):\n    return form.cleaned_data.get(name)\n",
    "an alias that is handed on": "def f(form):\n    data = form.cleaned_data\n    send(data)\n",
    "an alias of an alias": "def f(form):\n    data = form.cleaned_data\n    more = data\n    send(more)\n",
    "an alias set twice": "def f(form):\n    data = {}\n    data = form.cleaned_data\n    return data['email']\n",
    "an attribute": "class V:\n    def f(self, form):\n        self.data = form.cleaned_data\n",
    "returned": "def f(form):\n    return form.cleaned_data\n",
    "unpacked": "def f(form):\n    email, size = form.cleaned_data.values()\n",
    "json": "import json\ndef f(form):\n    return json.dumps(form.cleaned_data)\n",
    "session": "def f(request, form):\n    request.session['s'] = form.cleaned_data\n",
    "the whole post": "def f(request):\n    send(request.POST)\n",
    "the whole post as a dict": "def f(request):\n    return request.POST.dict()\n",
    "the body": "import json\ndef f(request):\n    return json.loads(request.body)\n",
    "flask's form": "def f():\n    return save(**request.form)\n",
    "through self": "class V:\n    def post(self):\n        return dict(self.request.POST)\n",
    "a form of somebody's making": "def f(request, kind):\n    return kind(request.POST)\n",
    "every field": "def f(form):\n    return [field.value() for field in form]\n",
    "a field by variable": "def f(form, name):\n    return form[name].value()\n",
    "raw data": "def f(form):\n    return form.data.copy()\n",
    "vars": "def f(form):\n    return vars(form)\n",
    "the dict": "def f(form):\n    return form.__dict__\n",
    "a model's form": "from app.form import SignUp\nF = modelform_factory(Account, form=SignUp)\n",
    "an heir that is a model's form": (
        "from django import forms\nfrom app.form import SignUp\nclass Full(SignUp, forms.ModelForm):\n    pass\n"
    ),
    "an heir with a mixin": "from lib import Mixin\nfrom app.form import SignUp\nclass Full(Mixin, SignUp):\n    pass\n",
    "clean that hands it on": "class B:\n    def clean(self):\n        data = super().clean()\n        log(data)\n        return data\n",
    "a form of another name": "from app.form import SignUp\ndef f(r):\n    s = SignUp(r.POST)\n    return [x.value() for x in s]\n",
    "a form of another name by variable": "from app.form import SignUp\ndef f(q, n):\n    s = SignUp(q)\n    return s[n].value()\n",
    "a form handed to a helper": (
        "from app.form import SignUp\ndef dump(bound, n):\n    return bound[n].value()\ndef f(q):\n    dump(SignUp(q), 'x')\n"
    ),
    "every name of its fields": "def dump(bound):\n    return {n: bound[n].value() for n in bound.fields}\n",
    "a form handed to a library": "import pickle\ndef f(form):\n    return pickle.dumps(form)\n",
    "its own items": (
        "from app.form import SignUp\nclass More(SignUp):\n    def all(self):\n        return [self[n].value() for n in self.fields]\n"
    ),
    "eval": "def f(form, code):\n    return eval(code)\n",
    "flask's arguments": "def f():\n    return request.args.to_dict()\n",
    "a wizard": "def done(self):\n    return self.get_all_cleaned_data()\n",
    "attrgetter": "from operator import attrgetter\nread = attrgetter(*NAMES)\n",
    "a model of the same field": "class Account(models.Model):\n    company_size = models.TextField()\n",
    "a serializer": "class AccountSerializer(serializers.Serializer):\n    company_size = serializers.CharField()\n",
    "a dataclass": "@dataclass\nclass Account:\n    company_size: str\n",
}


@pytest.mark.parametrize("case", HIDERS)
def test_what_may_read_it_without_naming_it_makes_the_answer_unsure(case: str) -> None:
    found = look(with_file("app/use.py", HIDERS[case]))
    assert found.verdict == "unsure", found
    assert any(one.path == "app/use.py" for one in found.hides)


@pytest.mark.parametrize(
    "bases",
    ["forms.ModelForm", "serializers.ModelSerializer", "BaseModel", "SomeMixin, forms.Form", "forms.BaseForm", ""],
)
def test_a_class_that_is_more_than_a_plain_form_makes_it_unsure(bases: str) -> None:
    form = FORM.replace("(forms.Form)", f"({bases})")
    assert look({**APP, "app/form.py": form}).verdict == "unsure"


def test_a_form_that_is_not_here_makes_it_unsure() -> None:
    assert look({"app/views.py": "x = 1\n"}).verdict == "unsure"
    assert look({"web/form.jsx": "<input name='company_size'/>"}).verdict == "unsure"


def test_a_plain_base_in_another_file_and_an_heir_are_followed() -> None:
    files = {
        **APP,
        "app/base.py": "from django import forms\nclass Base(forms.Form):\n    note = forms.CharField()\n",
        "app/form.py": FORM.replace("forms.Form)", "Base)").replace(
            "from django import forms", "from django import forms\n    from app.base import Base"
        ),
        "app/heir.py": "from app.form import SignUp\nclass Short(SignUp):\n    company_size = None\n",
    }
    assert look(files).verdict == "nobody"


@pytest.mark.parametrize(
    "code",
    [
        "def f(form):\n    data = form.cleaned_data\n    if data.get('email') and 'email' in data:\n        return data['email']\n",
        (
            "class Other(forms.Form):\n    def clean(self):\n        data = super().clean()\n"
            "        if data.get('email'):\n            pass\n        return data\n"
        ),
        "class Other(forms.Form):\n    def clean(self):\n        super().clean()\n        return self.cleaned_data\n",
        "from app.form import SignUp\ndef f(request):\n    return SignUp(data=request.POST if request.method else None)\n",
        "from django.contrib.auth.forms import LoginForm\ndef f(request):\n    return LoginForm(request, data=request.POST)\n",
        "class Other(forms.Form):\n    def __init__(self):\n        for one in self.fields.values():\n            one.label = ''\n",
        "def f(form):\n    return check(form)\ndef check(form):\n    return form.cleaned_data['email']\n",
        "def f(request):\n    if request.POST and request.POST.get('page'):\n        return request.GET['q']\n",
        "from django.conf import settings\ndef f(name):\n    return getattr(settings, name)\n",
        "import importlib\ndef f(name):\n    return getattr(importlib.import_module('x'), name)\n",
        "company_size_max = 3\nMESSAGE = 'Your company size is too big.'\n",
    ],
)
def test_what_takes_only_other_named_parts_hides_nothing(code: str) -> None:
    found = look(with_file("app/use.py", code))
    assert found.verdict == "nobody", found


def test_migrations_neither_read_nor_hide() -> None:
    migration = "class Migration:\n    operations = [AddField('account', 'company_size')]\n    x = getattr(a, b)\n"
    assert look(with_file("app/migrations/0002_x.py", migration)).verdict == "nobody"
