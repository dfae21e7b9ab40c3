"""Short texts in several languages, for tests of encodings. They are everyday sentences, written for these tests."""

KOREAN = (
    "어제 저녁에 우리는 강가를 따라 천천히 걸었다. 바람이 시원하게 불었고 하늘에는 별이 하나둘 보이기 시작했다.\n"
    '동생이 물었다. "저기 불빛이 보이는 집에는 누가 살까?" 나는 대답하지 못하고 그냥 웃었다.\n'
    "컴퓨터가 글자를 한 자씩 배우면 처음에는 아무 뜻도 없는 말을 쓰지만, 시간이 지나면 점점 사람이 쓴 문장처럼 된다.\n"
)
JAPANESE = (
    "昨日の夜、わたしたちは川にそってゆっくり歩いた。風がすずしくて、空には星が見えはじめていた。\n"
    "「あの明かりの家にはだれが住んでいるの」と弟が聞いた。わたしは答えられなくて、ただ笑った。\n"
)
CHINESE = "昨天晚上我们沿着河边慢慢地走。风很大,天上的星星一个一个地出来了。弟弟问我那个有灯的房子里住着什么人。\n"
TRADITIONAL = "昨天晚上我們沿著河邊慢慢地走。風很大,天上的星星一個一個地出來了。弟弟問我那個有燈的房子裡住著什麼人。\n"
RUSSIAN = (
    "Вчера вечером мы медленно шли вдоль реки. Дул свежий ветер, и на небе одна за другой появлялись звёзды. "
    "Брат спросил, кто живёт в том доме, где горит свет, а я только улыбнулся и ничего не ответил.\n"
)
GREEK = "Χθες το βράδυ περπατούσαμε αργά δίπλα στο ποτάμι και ο ουρανός ήταν γεμάτος αστέρια, όταν φύσηξε ο άνεμος.\n"
HEBREW = "אתמול בערב הלכנו לאט לאורך הנהר והרוח הייתה קרירה וכוכבים נראו בשמיים.\n"
ARABIC = "مشينا مساء أمس ببطء على طول النهر وكانت الرياح باردة وظهرت النجوم في السماء واحدة تلو الأخرى.\n"
FRENCH = "Hier soir, nous avons marché lentement le long de la rivière ; le ciel était dégagé, ça sentait déjà l'été.\n"
GERMAN = (
    "Gestern Abend gingen wir langsam am Fluss entlang. Über den Bäumen erschienen die Sterne, und es wurde kühl.\n"
)
SPANISH = "Ayer por la noche el niño preguntó quién vivía allí. ¿Quién sabe? Mañana volveremos a la montaña.\n"
POLISH = "Wczoraj wieczorem szliśmy powoli wzdłuż rzeki, wiał chłodny wiatr, a na niebie pojawiały się gwiazdy.\n"
CZECH = "Včera večer jsme šli pomalu podél řeky, foukal svěží vítr a na obloze se objevovaly první hvězdy.\n"
HUNGARIAN = "Tegnap este lassan sétáltunk a folyó mentén, hűvös szél fújt, és az égen feltűntek az első csillagok.\n"
TURKISH = "Dün akşam nehir boyunca yavaş yavaş yürüdük, rüzgâr serindi ve gökyüzünde yıldızlar göründü.\n"
THAI = "เมื่อวานตอนเย็นเราเดินเล่นช้าๆ ริมแม่น้ำ ลมเย็นสบายและดวงดาวเริ่มปรากฏบนท้องฟ้า\n"
ENGLISH = "“It’s late,” she said — and the café’s lights went out…\n"
