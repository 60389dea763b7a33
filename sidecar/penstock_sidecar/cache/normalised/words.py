"""The words that the normalised level knows: English, lower case. No stop-words are among what is
left out anywhere."""

import re
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENGLISH: Final = _words(
    "the what what's how how's which who who's whose where why when is are does did has have had"
    " can could would should will please my your you i'd i'm i've it's of with from about this"
    " that these those there and not tell show give explain find book play call send"
    " need get set make change help been some any thats"
)
"""Any of them says that a text is English, or near enough."""

QUESTIONS: Final = _words(
    "what what's which who who's whose whom when where where's why how how's is isn't are aren't"
    " was were do does did don't doesn't didn't can can't could will would should shall may has"
    " have had am if whether"
)
"""A text that begins with one of them asks, whatever mark it ends with."""

CONTRACTIONS: Final = {
    "whats": "what's",
    "wheres": "where's",
    "hows": "how's",
    "thats": "that's",
    "theres": "there's",
    "dont": "don't",
    "doesnt": "doesn't",
    "didnt": "didn't",
    "isnt": "isn't",
    "arent": "aren't",
    "wasnt": "wasn't",
    "werent": "weren't",
    "hasnt": "hasn't",
    "havent": "haven't",
    "hadnt": "hadn't",
    "couldnt": "couldn't",
    "shouldnt": "shouldn't",
    "wouldnt": "wouldn't",
    "ive": "i've",
    "youre": "you're",
    "theyre": "they're",
}
"""Only those that are no words without the apostrophe: "its", "were", "well" and "id" are."""

NAMES: Final = _words(
    # nations, places and who comes from there
    "turkey china chad jordan polish finnish danish chile cyprus guinea jersey georgia hungary"
    " greece bath reading nice cork lima buffalo phoenix mobile orange cologne split sandwich troy"
    " tours orlando nancy florence sofia victoria bologna hamburg berliner frank dutch"
    # people
    " mark bill will rose grace hope faith jack rob sue pat drew bob art dick joy june may april"
    " august march autumn summer dawn eve ivy lily daisy olive pearl ruby amber jade crystal iris"
    " hazel heather violet holly sandy rocky rusty miles chase hunter mason carter cooper porter"
    " baker cook fisher gardener king knight page price smith taylor turner tyler walker ward"
    " young rich wade chance guy gene don ray rod max norm nick harry barb penny robin jay martin"
    " drake jobs gates bush ford trump brown black white green gray grey stone wood woods hill"
    " hills fields banks brooks rivers lake moon swift lamb wolf fox bird crane finch peacock pope"
    " bishop abbot"
    # firms, products and languages
    " apple amazon shell target gap oracle windows word excel access office teams outlook meta"
    " python java rust go swift basic scheme lisp perl julia scratch logo elm dart flask django"
    " chrome edge safari signal slack zoom discord square stripe block match snap visa discover"
    " chase citizens gemini claude bard llama mistral falcon ollama copilot cursor notion linear"
    " spark storm flink kafka hive pig beam airflow spring struts express react angular vue ember"
    " backbone node deno bun puppet chef salt vault consul nomad docker swarm helm argo flux tidal"
    " alphabet subway dove tide dawn gain cheer galaxy mars snickers bounty twitter x box drive"
    " nest ring echo alexa cortana bing ask general united delta southwest frontier spirit virgin"
    " sprint orange cricket boost metro mint caterpillar deere puma jaguar beetle golf polo passat"
    " fiesta focus escort explorer mustang viper corvette colt titan sentra rogue leaf bolt"
    " pixel surface slate prime sage hinge bumble tinder wish fire nova titan medium venture"
    # the sky, faiths, parties, months, terms
    " mercury saturn earth sun god bible catholic liberal conservative labour labor democratic"
    " republican green independent state union congress house senate commons lords cabinet civil"
    " cold war great depression renaissance internet web cloud bitcoin ether stoic epicurean"
    " platonic romantic gothic classic orthodox reform lent advent passover easter mass"
)
"""Common words that are also names, or the other way round: their capitals stay as they came. What
is all capitals does so anyway."""

ACRONYMS: Final = _words(
    "us it who aids am pm id ok ad ads ace cat ram rom led lan sad pan ban map pin sim spam seal"
    " race care act sat gap star dare mad pet dip bit can nasa ai ml hr pr vs un eu uk"
)
"""In capitals they are, or may be, something else."""

QUANTITIES: Final = _words("few little lot bit couple number great good many")
""""A few" is not "few"."""

LETTERED: Final = _words(
    "vitamin plan option hepatitis grade type team section appendix part class group answer"
    " choice series point letter schedule exhibit figure table step level tier phase item version"
    " model category line row column key note drive block unit side the an and or to not = is as"
    " either"
)
"""After them "a" may be a letter, or make the difference."""

SUPERLATIVES: Final = _words(
    "best worst most least first last largest biggest smallest highest lowest longest shortest"
    " oldest newest youngest tallest deepest fastest slowest cheapest nearest closest easiest"
    " hardest strongest weakest richest poorest hottest coldest latest earliest same"
)
"""After "the" there is but one of them."""

SAYING: Final = _words(
    "say says said saying spell spelling write writing word words type typing with mean means"
    " meaning for of to than not or and the a an i me"
)
"""After them "please" may be what is talked about."""

TEXTUAL: Final = re.compile(
    r"\b(?:gramma|spell|punctuat|proof-?read|capitali[sz]|upper-?case|lower-?case|title case"
    r"|translat|interpreter|verbatim|word for word|repeat|echo|exactly|literal|rewrit|rephras"
    r"|paraphras|correct|edit|polite|courteous|rude|formal|informal|tone\b|sentiment|emotion"
    r"|style|characters?\b|letters?\b|syllab|tokens?\b|word count|count the|how many words"
    r"|palindrom|anagram|acronym|abbreviat|reverse|rhym|encod|decod|cipher|encrypt|hash|base64"
    r"|regex|parse|transcri|summari[sz]|classif|label|extract|entity|entities|detect|language"
    r"|english|sentence|phrase|wording|quot|the (?:following|above|text|message|user's|user input)"
    r"|user (?:input|text)|complete the|continue the|fill in|finish the)",
    re.IGNORECASE,
)
"""Where writing itself is the matter: one of these anywhere in a conversation, and every character
of it counts. Rather too many than too few: what they catch is asked for again."""
