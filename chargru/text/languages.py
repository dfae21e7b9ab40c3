"""What common languages look like, to tell apart encodings that all decode.

Nearly every string of high bytes is valid in CP949, GB18030 and half a dozen single-byte code pages at once; only one
reading of it has characters that people write. Each language has the characters that make up most of its text.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

_HIRAGANA = "".join(map(chr, range(0x3041, 0x3097)))
_KATAKANA = "".join(map(chr, range(0x30A1, 0x30FB))) + "ー"

# The frequent syllables of Korean prose; those of the first lines alone are most of it.
_KOREAN = (
    "이다는의에을가하고를은지로도한사기대어리서나자시스인일수그아해들있만으정보제전여라게주장상니원부과면구동된것안조오공연소생무성"
    "와요경유미세문국방비계신화용당말관물위중거까할우선러었던되행각적명및내간양외때분작실민후최식모체학발진회데금터바려산했두치운재강"
    "개눈로차호김합알력심업집박달없반새며입버단교마권천남받네습열같야함듯먹결본종불년월타노프트르드크파카포질준편맞태채략품청평키돌"
    "아버지어머니형누나오빠언니친구사람마음세상하늘땅물불바람나무꽃비눈밤낮봄여름가을겨울손발얼굴몸머리"
    "걸건겠겨격견경곳관광괜굴군궁귀규극근글급긴길깊꼭꿈끝났난날남낮낸널넣높놓누뉴느는늘능늦님답덕독둘뒤득등딸따땐떠떤또뜻란람랑래량"
    "럼런럽렇레려련령례록론료루류른름릴림립막많매맨멀메멋면못목몰묘문믿및밀밖밝밤배백번벌범법베변별병복봐북붙빌빛빠빨뿐쁘삶색석설섯셔셨"
    "속손송쇼술숨쉬슨슬승싸써썼쓰씨악압앞앤약얘억언얼엄없었엇엔였영옆예옛온올옷완왔왕왜외욕워웃웠웨육음읽임잃잊잎잔잘잠잡저절점접족"
    "졌좋죄죠죽줄쥐즈즉즐증직짜째쪽찌찍찬참창찾책처척철첫초총추축출충취층친칠침칭칼커컴케코콘크큰킨탁탄탈탕토통퇴투특틀판팔패퍼펴폐"
    "표풀풍피필핑항향허험헤혀현형혹혼홍확환활황효훈흐흔흘흥희히힘했녕꾸꺼끼떨뛰빼뼈쌀썩쏟씩않앉알잖젊짝짧쫓찮춤춥컸켜큼탔텔튼팀"
)  # fmt: skip

_CHINESE = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去"
    "法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点"
    "正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿"
    "原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德"
    "资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交"
    "规万取拉格望觉术领共确传师观清今切院让识候带导争运笔习乐朋远亦乎君园散步吧吗呢谁怎怕快慢早晚春夏秋冬花草树木风雨雪星"
)  # fmt: skip

_CHINESE_TRADITIONAL = (
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去"
    "法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點"
    "正業外將兩高間由問很最重並物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信表化老給世位次度門任常先海通教兒"
    "原東聲提立及比員解水名真論處走義各入幾口認條平系氣題活爾更別打女變四神總何電數安少報才結反受目太量再感建務做接必場件計管期市直德"
    "資命山金指克許統區保至隊形社便空決治展馬科司五基眼書非則聽白卻界達光放強即像難且權思王象完設式色路記南品住告類求據程北邊死張該交"
    "規萬取拉格望覺術領共確傳師觀清今切院讓識候帶導爭運筆習樂朋遠亦乎君園散步吧嗎呢誰怎怕快慢早晚春夏秋冬花草樹木風雨雪星"
)  # fmt: skip

_JAPANESE = _HIRAGANA + _KATAKANA + (
    "日一国人年大十二本中長出三同時政事自行社見月分議後前民生連五発間対上部東者党地合市業内相方四定今回新場金員九入選立開手米力学問"
    "高代明実円関決子動京全目表戦経通外最言氏現理調体化田当八六約主題下首意法不来作性的要用制治度務強気小七成期公野協取都和統以機平"
    "総加山思家話世受区領多県続進正安設保改数記院女初北午指権心界支第産結百派点教報済書府活原先共得解名交資予川向際査勝面委告軍文反"
    "元重近千考判認画海参売利組知案道信策集在件団別物側任引使求所次水半品昨論計死官増係感特情投示変打男基私各始島直両朝革価式確村提"
    "猫無薄暗泣記憶何食飲車駅店夜朝声色花春夏秋冬"
)  # fmt: skip

_PUNCTUATION = "“”‘’„‚–—…•«»‹›°§©®™€£·"
# Alphabets, the twelve most frequent letters first: code pages of one script only permute its letters, and every byte
# of one script is some letter in another one's code page.
_CYRILLIC = "оеаинтсрвлкмдпуяыьгзбчйіїє"
_GREEK = "αοιετσνηυρπκμλωςάέήίόύώθδγ"
_HEBREW = "יוהלאתרבמשנםדחקפגעצטכסזןךףץ"
_ARABIC = "اليمنوترعبهدسفكقحجأةشطصخذىضزثئغإءظؤآ،؟ًٌٍَُِّْ"
_FREQUENT = 12

# Read as marks of no language in particular, whatever the code page.
NEUTRAL = frozenset(
    "“”‘’„–—…«»·№§©®™°€\u00a0、。・「」『』《》〈〉【】〔〕\u3000〜～" + "".join(map(chr, range(0xFF01, 0xFF66)))
)


class Kind(Enum):
    """How a script mixes with ASCII letters inside a word, which betrays a wrong code page."""

    IDEOGRAPHIC = "stands anywhere"
    ALPHABET = "never in one word with ASCII letters"
    LATIN = "mostly in one word with ASCII letters"


@dataclass(frozen=True)
class Candidate:
    """A reading to try: an encoding, and the characters that text of this language in it consists of."""

    encoding: str
    language: str
    common: frozenset[str]
    frequent: frozenset[str]  # the part of them that makes up most of a text; in an alphabet fewer than `common`
    kind: Kind
    weight: float = 1.0  # a wide alphabet fits more by chance: it stands back behind the language that fits as well


def _both_cases(letters: str) -> frozenset[str]:
    return frozenset(letters) | {upper for letter in letters if len(upper := letter.upper()) == 1}


def _latin(encodings: str, language: str, letters: str, weight: float = 1.0) -> list[Candidate]:
    common = _both_cases(letters) | frozenset(_PUNCTUATION)
    return [Candidate(encoding, language, common, common, Kind.LATIN, weight) for encoding in encodings.split()]


def _alphabet(encodings: str, language: str, letters: str) -> list[Candidate]:
    common, frequent = _both_cases(letters), _both_cases(letters[:_FREQUENT])
    return [Candidate(encoding, language, common, frequent, Kind.ALPHABET) for encoding in encodings.split()]


def _ideographic(encodings: str, language: str, characters: str) -> list[Candidate]:
    common = frozenset(characters)
    return [Candidate(encoding, language, common, common, Kind.IDEOGRAPHIC) for encoding in encodings.split()]


# Where two score the same the earlier one is taken. Each encoding is the widest of its family, as vendors extended it.
CANDIDATES: tuple[Candidate, ...] = (
    *_latin("cp1252", "English", "½¼éï"),
    *_latin("cp1252", "French", "éèêëàâçîïôûùüœ"),
    *_latin("cp1252", "German", "äöüß"),
    *_latin("cp1252", "Spanish", "áéíóúñü¿¡ºª"),
    *_latin("cp1252", "Portuguese", "áâãàçéêíóôõúºª"),
    *_latin("cp1252", "Italian", "àèéìíòóù"),
    *_latin("cp1252", "Swedish or Finnish", "åäöé"),
    *_latin("cp1252", "Danish or Norwegian", "æøåéòôó"),
    *_latin("cp1252", "Dutch", "ëïéèöüá"),
    *_latin("cp1252", "Icelandic", "áéíóúýðþæö"),
    *_latin("cp1252", "a western European language", "àáâãäåæçèéêëìíîïñòóôõöøùúûüßœ¿¡ºª½¼×", weight=0.9),
    *_latin("cp1250 iso8859_2", "Polish", "ąćęłńóśźż"),
    *_latin("cp1250 iso8859_2", "Czech or Slovak", "áčďéěíňóřšťúůýžäľĺôŕ"),
    *_latin("cp1250 iso8859_2", "Hungarian", "áéíóöőúüű"),
    *_latin("cp1250 iso8859_2", "Croatian or Slovene", "čćđšž"),
    *_latin("cp1250 iso8859_2", "Romanian", "ăâîşţ"),
    *_latin("cp1254", "Turkish", "çğıöşüâîİ"),
    *_ideographic("cp949", "Korean", _KOREAN),
    *_ideographic("cp932 euc_jp", "Japanese", _JAPANESE),
    *_ideographic("gb18030", "Chinese", _CHINESE),
    *_ideographic("cp950", "traditional Chinese", _CHINESE_TRADITIONAL),
    *_alphabet("cp1251 koi8_r cp866 iso8859_5", "Cyrillic", _CYRILLIC),
    *_alphabet("cp1253 iso8859_7", "Greek", _GREEK),
    *_alphabet("cp1255", "Hebrew", _HEBREW),
    *_alphabet("cp1256", "Arabic", _ARABIC),
)

# What text in UTF-16 or UTF-32 without a mark is made of, whatever its language.
EVERYDAY: frozenset[str] = frozenset("\t\n\r" + "".join(map(chr, range(0x20, 0x7F)))) | NEUTRAL | frozenset(
    character for candidate in CANDIDATES for character in candidate.common
)  # fmt: skip
