#!/usr/bin/env python3
"""Makes the two font files beside this script from Noto Sans CJK, so that what is embedded in our PDFs can be
made again and looked into. Not part of a build: run it when the repertoire or the source changes.

Needs (Debian): fonts-noto-cjk, unicode-data, fonttools.

    python3 make-fonts.py

Regular covers ASCII, Latin-1 and what the source has of Latin Extended-A, GB 2312, the table of general standard Chinese characters
(通用规范汉字表, property kTGH of Unihan) and level 1 of Big5. Bold, for headings, covers Latin and level 1 of
GB 2312. The names are ours: "Noto" is a trademark and "Source" a reserved font name of the original.
"""
import bz2
import pathlib

from fontTools import subset
from fontTools.ttLib import TTFont

SOURCE = "/usr/share/fonts/opentype/noto/NotoSansCJK-{}.ttc"
SIMPLIFIED_CHINESE = 2  # the face of the collection
UNIHAN = "/usr/share/unicode/Unihan_OtherMappings.txt.bz2"
UNIHAN_ALSO = "/usr/share/unicode/Unihan_DictionaryLikeData.txt.bz2"
FAMILY = "Hexiao Document Sans"
HERE = pathlib.Path(__file__).parent

LATIN = set(range(0x20, 0x7F)) | set(range(0xA0, 0x180))
PUNCTUATION = {ord(c) for c in "–—‘’“”•…€−〓￥·、。《》（），：；？！％"}


def double_byte(codec, leads):
    """The characters that a double-byte encoding has under these lead bytes."""
    found = set()
    for lead in leads:
        for trail in range(0x40, 0xFF):
            try:
                text = bytes([lead, trail]).decode(codec)
            except UnicodeDecodeError:
                continue
            found.update(ord(character) for character in text)
    return found


def general_standard():
    """The 8,105 characters of the table of general standard Chinese characters."""
    found = set()
    for path in (UNIHAN, UNIHAN_ALSO):
        with bz2.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                parts = line.split("\t")
                if len(parts) > 2 and parts[1] == "kTGH":
                    found.add(int(parts[0][2:], 16))
    assert len(found) == 8105, f"kTGH has {len(found)} characters"
    return found


def rename(font, style):
    names = font["name"]
    for number in (1, 2, 3, 4, 6, 16, 17):
        names.removeNames(nameID=number)
    postscript = FAMILY.replace(" ", "") + "-" + style
    for number, text in ((1, FAMILY), (2, style), (3, postscript), (4, f"{FAMILY} {style}"), (6, postscript)):
        names.setName(text, number, 3, 1, 0x409)
    cff = font["CFF "].cff
    cff.fontNames = [postscript]
    top = cff.topDictIndex[0]
    top.FullName, top.FamilyName = f"{FAMILY} {style}", FAMILY


def make(style, wanted):
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.notdef_outline = True
    options.name_IDs = [0, 5, 7, 8, 9, 10, 11, 12, 13, 14]
    options.drop_tables += ["GPOS", "GSUB", "GDEF", "BASE", "VORG", "vhea", "vmtx"]
    font = TTFont(SOURCE.format(style), fontNumber=SIMPLIFIED_CHINESE, recalcTimestamp=False)
    missing = wanted - set(font.getBestCmap())
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=wanted - missing)
    subsetter.subset(font)
    rename(font, style)
    path = HERE / f"HexiaoDocumentSans-{style}.otf"
    font.save(path)
    print(f"{path.name}: {len(font.getBestCmap())} characters, {path.stat().st_size} bytes, {len(missing)} not in the source")


def main():
    latin = LATIN | PUNCTUATION
    simplified = double_byte("gb2312", range(0xA1, 0xF8))
    traditional = double_byte("big5", range(0xA4, 0xC7))
    make("Regular", latin | simplified | general_standard() | traditional)
    make("Bold", latin | double_byte("gb2312", range(0xB0, 0xD8)))


if __name__ == "__main__":
    main()
