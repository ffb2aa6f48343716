"""What must hold of a deck, as its file says and as a browser shows it. Each check returns the faults it finds."""

import re
from pathlib import Path

from slides.deck import FOLDER

ROOT = FOLDER.parent
SHARE = re.compile(r"\d+\.\d%(?: \[\d+\.\d%, \d+\.\d%\])?")  # as `Accuracy` writes itself, with its interval or without
OTHERWISE = re.compile(
    r"[\d.]+ % \[\d[^\]\n]*\]|[\d.]+% \[[\d.]+, [^\]\n]*\]"
)  # the same with blanks, or signs left out
IN_TABLE = re.compile(r"(\d+\.\d%) \| (\d+\.\d%) to (\d+\.\d%)")  # as `Report` writes it
MARKUP = re.compile(r"[`$]|\*\w")  # which the presenter's window shows as it is typed
ELSEWHERE = re.compile(r"<(?:script|link|style|iframe|img)\b|@import|url\(|!\[[^\]]*\]\((?:\w+:)?//", re.IGNORECASE)
LEAST = {"contrast": 4.5, "letters": 22, "picture": 240, "foot": 44}  # WCAG 2.1 AA; pixels of 720


def faults_of_source(deck, measured):
    """What is wrong with a deck's file; ``measured`` is all text in which its numbers may be found."""
    faults = [] if 12 <= len(deck.slides) <= 20 else [f"{len(deck.slides)} slides, not 12 to 20"]
    if (total := sum(slide.minutes for slide in deck.slides)) != deck.minutes:
        faults.append(f"the notes take {total} minutes, the front matter says {deck.minutes}")
    for number, slide in enumerate(deck.slides, start=1):
        own = [] if slide.title else ["no heading"]
        own += ["a formula in the heading, which bookmarks would lose"] if "$" in slide.title else []
        own += [] if slide.minutes and slide.note else ["no note with minutes"]
        for picture in slide.pictures:
            own += [] if len(picture.alt.split()) >= 4 else [f"{picture.path} has no alt text of four words or more"]
            own += [] if (FOLDER / picture.path).is_file() else [f"{picture.path} does not exist"]
        own += [f"from elsewhere: {found[0]}" for found in ELSEWHERE.finditer(slide.text)]
        words = f"{slide.text}\n{slide.note}"
        shares = SHARE.findall(words)
        own += [f"{share} has no interval" for share in shares if "[" not in share]
        own += [f"{share} was not measured" for share in shares if share not in measured]
        own += [f"{share} is not written as the library writes it" for share in OTHERWISE.findall(words)]
        own += [f"markup in a note: {found[0]}" for found in MARKUP.finditer(slide.note)]
        own += ["shares without n"] if shares and not re.search(r"\bn = \d", words) else []
        faults += [f"slide {number}: {fault}" for fault in own]
    return faults


def measurements(lesson):
    """The text of all that is measured: the tables, the cards' figures, and what the lesson's notebooks print."""
    files = [ROOT / "results" / "README.md", ROOT / "README.md"]
    files += [ROOT / "notebooks" / "solutions" / f"{name}.ipynb" for name in lesson]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return IN_TABLE.sub(r"\1 [\2, \3]", text.replace(" %", "%"))


def faults_on_screen(chromium, path: Path):
    """What is wrong with the slides of an HTML file, as shown; and each request for anything but the file."""
    page = chromium.new_page(viewport={"width": 1280, "height": 720}, offline=True)
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    page.add_style_tag(content="svg.bespoke-marp-slide { content-visibility: visible !important; }")
    faults = page.evaluate(MEASURE, LEAST)
    page.close()
    return faults + [f"asks for {url}" for url in requests if not url.startswith((path.as_uri(), "data:"))]


MEASURE = """async least => {
    await Promise.all([...document.images].map(image => image.decode().catch(() => 0)));
    const rgb = colour => (colour.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
    const light = colour => {
        const linear = v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
        const [r, g, b] = rgb(colour).map(v => linear(v / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const paper = element => {  // the nearest background that is not transparent
        for (; element; element = element.parentElement) {
            const colour = getComputedStyle(element).backgroundColor;
            if (rgb(colour)[3] !== 0) return colour;
        }
        return "rgb(255, 255, 255)";
    };
    const lettersOf = image => {  // of an SVG inside the page: words, height as a share of the picture's width, colour
        const coded = image.src.match(/^data:image\\/svg\\+xml;base64,(.*)/);
        if (!coded) return [];
        const bytes = Uint8Array.from(atob(coded[1]), letter => letter.charCodeAt(0));
        const svg = new DOMParser().parseFromString(new TextDecoder().decode(bytes), "image/svg+xml").documentElement;
        return [...svg.querySelectorAll("text")].map(text => {
            const size = text.style.fontSize || text.style.font.match(/[\\d.]+px/)[0];
            return [text.textContent, parseFloat(size) / svg.viewBox.baseVal.width, text.style.fill || "rgb(0, 0, 0)"];
        });
    };
    const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
    const faults = [];
    document.querySelectorAll("foreignObject > section").forEach((section, index) => {
        const say = fault => faults.push(`slide ${index + 1}: ${fault}`);
        if (section.scrollHeight > section.clientHeight || section.scrollWidth > section.clientWidth)
            say(`overflows: ${section.scrollWidth} x ${section.scrollHeight}`);
        const whole = section.getBoundingClientRect(), scale = whole.height / section.clientHeight;
        const pictures = [...section.querySelectorAll("img")].map(image => [image, image.getBoundingClientRect()]);
        for (const [image, box] of pictures) {
            if (image.naturalWidth === 0) say("a picture is not shown");
            if (Math.min(box.width, box.height) / scale < least.picture) say("a picture is squeezed");
            const across = Math.min(box.width, box.height * image.naturalWidth / image.naturalHeight) / scale;
            for (const [letters, size, colour] of lettersOf(image)) {
                const shown = Math.round(across * size), contrast = 1.05 / (light(colour) + 0.05);
                if (shown < least.letters) say(`letters of ${shown}px in a picture: ${letters}`);
                if (contrast < least.contrast) say(`contrast ${contrast.toFixed(1)} in a picture: ${letters}`);
            }
        }
        const formulas = [...section.querySelectorAll("mjx-container")];
        const words = formulas.map(formula => [formula, [formula.getBoundingClientRect()], "a formula"]);
        const walker = document.createTreeWalker(section, NodeFilter.SHOW_TEXT);
        for (let node; (node = walker.nextNode()); ) {
            if (!node.data.trim() || node.parentElement.closest("mjx-container, style")) continue;
            const range = document.createRange();
            range.selectNodeContents(node);
            words.push([node.parentElement, [...range.getClientRects()], node.data.trim().slice(0, 40)]);
        }
        for (const [element, boxes, what] of words) {
            const style = getComputedStyle(element), ink = light(style.color), ground = light(paper(element));
            const contrast = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
            if (contrast < least.contrast) say(`contrast ${contrast.toFixed(1)}: ${what}`);
            if (parseFloat(style.fontSize) < least.letters) say(`letters of ${style.fontSize}: ${what}`);
            const foot = element.closest("footer") ? 0 : least.foot * scale;
            for (const box of boxes) {
                if (box.right > whole.right || box.bottom > whole.bottom - foot) say(`runs off the slide: ${what}`);
                if (pictures.some(([, other]) => meet(box, other))) say(`lies over a picture: ${what}`);
            }
        }
    });
    return faults;
}"""
