"""Names, and what people hold in their hands. Pure."""

import unicodedata

FIRST = {
    "DE": (
        "Lena",
        "Jonas",
        "Mia",
        "Paul",
        "Hannah",
        "Emre",
        "Clara",
        "Felix",
        "Nele",
        "Ole",
        "Aylin",
        "Greta",
        "Moritz",
        "Ida",
    ),
    "GB": ("Olivia", "Harry", "Amelia", "Jack", "Isla", "Noah", "Priya", "Callum", "Zara", "Ewan", "Maisie", "Idris"),
    "PL": ("Zofia", "Antoni", "Hanna", "Jakub", "Maja", "Szymon", "Oliwia", "Wojciech", "Kinga", "Bartek"),
    "NL": ("Sanne", "Daan", "Lotte", "Bram", "Fenna", "Ruben", "Noor", "Thijs", "Fatima", "Jelle"),
    "FR": ("Camille", "Hugo", "Inès", "Léo", "Manon", "Théo", "Chloé", "Yanis", "Élise", "Baptiste"),
    "US": ("Mira", "Ethan", "Ava", "Mateo", "Riley", "Jo", "Dana", "Marcus", "Luz", "Hank"),
}
LAST = {
    "DE": (
        "Schulz",
        "Yılmaz",
        "Krüger",
        "Hoffmann",
        "Wolf",
        "Neumann",
        "Öztürk",
        "Brandt",
        "Vogel",
        "Lorenz",
        "Seidel",
    ),
    "GB": ("Hughes", "Patel", "Walker", "Okafor", "Bennett", "Reid", "Ahmed", "Turner", "Lloyd", "Fraser"),
    "PL": ("Kowalski", "Nowak", "Wójcik", "Zielińska", "Mazur", "Dudek", "Pawlak", "Sikora"),
    "NL": ("de Vries", "Bakker", "Visser", "Mulder", "Jansen", "El Amrani", "Dekker", "Kuipers"),
    "FR": ("Martin", "Petit", "Moreau", "Garnier", "Benali", "Roux", "Faure", "Lambert"),
    "US": ("Tran", "Johnson", "Rivera", "Cohen", "Nguyen", "Brooks", "Okoye", "Miller"),
}
DEVICES = {
    "ios": (("iOS 18.5", "iPhone 14"), ("iOS 18.5", "iPhone 15"), ("iOS 17.7", "iPhone 12"), ("iOS 18.4", "iPhone SE")),
    "android": (
        ("Android 15", "Pixel 8"),
        ("Android 14", "Galaxy A54"),
        ("Android 13", "Redmi Note 12"),
        ("Android 14", "Galaxy S22"),
    ),
    "web": (("Windows 11", "Firefox"), ("macOS 15", "Safari"), ("Windows 10", "Chrome"), ("Ubuntu", "Firefox")),
}


def plain(name: str) -> str:
    """A name as it stands in an address: "Zielińska" becomes "zielinska"."""
    name = name.replace("ł", "l").replace("ı", "i")
    letters = unicodedata.normalize("NFKD", name.lower())
    return "".join(letter for letter in letters if letter.isascii() and letter.isalnum())
