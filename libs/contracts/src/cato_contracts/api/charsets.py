"""The charsets of text that clients send."""

import codecs

_NAMES = """
utf-8 utf-8-sig utf-16 utf-16-le utf-16-be utf-32 utf-32-le utf-32-be us-ascii
windows-1250 windows-1251 windows-1252 windows-1253 windows-1254 windows-1256 windows-1257
iso-8859-1 iso-8859-2 iso-8859-5 iso-8859-9 iso-8859-15 koi8-r koi8-u cp437 cp850 cp852 cp855 cp866
mac-cyrillic macintosh gb18030 gbk big5 shift_jis euc-jp euc-kr kz-1048
"""
_CHARSETS = {codecs.lookup(name).name: name for name in _NAMES.split()}


def known_charset(name: str) -> str | None:
    """Return the usual name of a charset, None if text in it is not accepted."""
    try:
        return _CHARSETS.get(codecs.lookup(name.strip()).name)
    except (LookupError, ValueError):
        return None
