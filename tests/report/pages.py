"""What tests ask of a page: its elements, read with the parser of the standard library."""

from html.parser import HTMLParser
from typing import NamedTuple

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Element(NamedTuple):
    """A start tag: its name, its attributes, and the names of the elements around it."""

    name: str
    attributes: dict
    around: tuple


class Page(HTMLParser):
    """A page that has been read; `broken` are the end tags that close nothing."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements = []
        self.words = {}  # by the name of the element: the texts in it
        self.broken = []
        self._open = []
        self.feed(text)
        self.close()
        self.broken += self._open

    def handle_starttag(self, tag, attrs):
        self.elements.append(Element(tag, dict(attrs), tuple(self._open)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        if self._open[-1:] == [tag]:
            self._open.pop()
        else:
            self.broken.append(tag)

    def handle_data(self, data):
        if self._open and data.strip():
            self.words.setdefault(self._open[-1], []).append(data.strip())

    def named(self, *names):
        """The elements of these names, in order."""
        return [it for it in self.elements if it.name in names]

    def values(self, attribute):
        """What an attribute has, wherever it is given."""
        return [it.attributes[attribute] for it in self.elements if attribute in it.attributes]

    @property
    def text(self):
        """All words of the page."""
        return "\n".join(word for words in self.words.values() for word in words)
