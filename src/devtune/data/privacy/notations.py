"""How a value is given to a name: assignments, pairs, markup, calls, options, sentences.

Reads nothing, writes nothing; the table is data. Every repetition has a limit, and gives nothing
back where it can, so that each match costs the same in the worst of texts.
"""

import re

# What is left of the name (`password` -> `_prod`), then closing quotes, brackets and indexes.
REST = re.compile(
    r"""(?x) ([\w.$?-]{0,40}+) (?:\[\w{0,8}\])? (?:\\{0,3}["'`])?
    (?: \s?[\])}] | \\{0,3}["'`](?=[\s,).]) ){0,4} """
)
OPERATOR = re.compile(
    r"""(?x)
    (?P<pair> \s{0,60}+ ,?+ \s{0,60}+ [\\"'{]{0,4} (?:android:)? (?i:value|default|content)
        [\\"']{0,4} \s{0,9}+ [:=] \s{0,9}+ )
    | \s{0,9}+ [:=] \s{0,9}+ \{ \s{0,60}+ [\\"']{0,4} (?:value|default) [\\"']{0,4} \s{0,9}+ [:=]
        \s{0,9}+
    | (?P<block> \s{0,9}+ : [ ]{0,9}+ [|>][-+]?+ [ ]{0,9}+ \r?\n \s{1,40}+ )
    | (?P<nested> \s{0,9}+ [:=] [ ]{0,9}+ (?: [{\[(] \s{0,60}+ | \r?\n [ ]{1,40}+ )
        (?: -[ ] | ["']?[\w.-]{1,40}["']?+ \s? (?::|=>|=) \s{1,9}+ ) )
    | (?P<markup> \s? </\w{1,20}> \s{0,60}+ <\w{1,20}> \s{0,60}+
        | (?:[ ][\w:-]{1,30}+=["'][^"'<>\n]{0,60}+["']){0,4}+ [ ]?/?> (?:<!\[CDATA\[)?+ )
        (?=[^<\n]{6,200}+ <|[^<\n]{6,200}\]\]>)
    | \s{0,9}+ : \s{0,9}+ [&\w.'<>\[\]?|,* ]{1,50}? [ ] =[ ] (?=[\w"'`@&])
    | [ ] \{ [^{}\n]{1,40}+ \} [ ] = [ ]
    | [=:] ["'] \s? [+.] \s? (?=["'])
    | \s{0,20}+ (?: :=|:-|=>|===?|!==?|\|\|=?|\?\?=?|\?=|\+=|=|<-|->|<>|\?:|or\b ) \s{0,60}+
    | \s{0,9}+ : \s{0,60}+
    | [ \t]{0,9}+ , [ \t]{0,20}+
    | \s (?:for|of|to|on|at|in) \s [\w' -]{1,40}? (?:\sis|\s?[:=]) \s{1,9}+
    | (?P<call> (?:\.\w{1,20}+)?+ \( \s{0,60}+ (?:[\w.]{1,40}+,\s{0,60}+)?+ )
    | \s{1,9}+ [\w*\[\].]{1,30}+ \s{1,9}+ = \s{1,9}+ (?=["'`])
    | (?P<space> \s{1,60}+ (?:(?:is|was|to|as)\s{1,9}+){0,2} (?:\d\s)?+ )
    """
)
_SCHEME = r"(?:(?i:basic|bearer|token|apikey|api-key|key|bot|ssws|digest)[ ]{1,4}+)?+"
QUOTED = re.compile(
    r"""(?x)
    (?: [\w.:&@!<>*-]{1,60}+ \s? \( \s{0,40}+ | new\s{1,9}+ [\w.<>]{1,40}+ \( \s{0,40}+ ){0,3}
    (?P<list> [\[({] \s{0,60}+ ){0,2}
    (?:return[ ] | [bBrRfFuULN@$&]{1,2}+ | ![!\w]{1,6}[ ] | &\w{1,20}[ ])?+
    (?P<quote> \"{3} | '{3} | \\{0,3}["'`] ) """
    + _SCHEME
    + r"""(?P<value> (?:(?!(?P=quote))(?:[^\\\r\n]|\\[^\r\n])){1,512}+ ) (?P=quote) """
)
NEXT = re.compile(r"""\s{0,60}+,\s{0,60}+(["'])([^"'\\\n]{1,512}+)\1""")
FALLBACK = re.compile(  # `getenv("PASSWORD", "v")`, `env.PASSWORD || "v"`
    r"""(?x) [^\n"'`;,|?]{0,80}? (?:["'`][\w.:/-]{1,60}+["'`][\s\])]{0,3}+)?+
    (?:,|\|\||\?\?|\?:|\bor\b) \s{0,40}+ (?:default\s?=\s?)?+ (?=["'`]) """
)
BLOCK_DEFAULT = re.compile(
    r"""["']?\s{0,9}+\{[^{}]{0,300}?\bdefault["']?\s{0,40}+[=:]\s{0,9}+(?=["'])"""
)
BARE = re.compile(
    _SCHEME + r"""(?:!!?\w{1,9} |&\w{1,20} |[\w.@-]{1,30} / )?([^\s"'`<>\\]{6,512}+)"""
)
BARE_END = re.compile(r"&(?=amp;|[\w.-]+=)|;|,(?=\w*=|$)|\}\}?$|[,.:)\]}]+$")
AFTER_BARE = re.compile(
    r"""(?x) [ \t]{0,40}+ (?: $ | [\r\n\\"'`<\#;/,()\]}|&-] | (?:for|on|and|to|at|in)\b
    | [.)]{1,9}+(?:\s|$) | \w{1,20}+= | host\b | user ) """
)
COMMAND = re.compile(
    r"(?m:^\s{0,9}(?:ENV|ARG|set|setx|export|define) )\s{0,9}\Z|login |machine |/\Z"
)
DIRECTIVE = re.compile(
    r"(?:^|\n|\\n)[ \t\\*#+>-]{0,40}(?:(?:enable|target|default|username|user)\b[^\n]{0,40})?\Z"
)
LINE_END = re.compile(r"[ \t]{0,9}(?:$|[\r\n\\])")
COMPARED = re.compile(
    r"""(["'])([^"'\n\\]{6,128}+)\1(?:\s?[=!]={1,2}\s?|\.equals\(\s?)[\w.$>(-]{0,40}\Z"""
)
