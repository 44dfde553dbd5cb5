/**
 * The text that people read in a file: Markdown, and the comments and strings of code. Everything else is masked, and
 * nothing moves, so a place in the result is a place in the file.
 *
 * @module
 */

/** Stands for every character that is not read; a sentence ends at it. */
export const GAP = "␀";
/** Stands for every character that begins a comment. */
export const COMMENT = "␁";

const FENCE = /^[ \t]*(?:\*[ \t]?)?(`{3,})[^\n]*\n[\s\S]*?^[ \t]*(?:\*[ \t]?)?\1`*[ \t]*$/gm;
const INLINE_CODE = /(`+)(?:(?!\n\s*\n)[^`␀])+\1/g;
const LINK_TARGET = /\]\([^)\s]*\)|\bhttps?:[^\s)>]+|\{@\w+ [^}]*\}/g;
const CODE = {
  comment: /\/\*[\s\S]*?\*\/|\/\/.*(?:\n[ \t]*\/\/.*)*/y,
  string: /"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'/y,
  template: /(?:\\[\s\S]|\$(?!\{)|[^`\\$])*/y,
  regex: /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y,
} as const;
/** What a slash follows where it begins a regular expression and does not divide. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+\-*%<>~^\n]|\breturn|\btypeof)\s*$/;

const fill = (text: string, mask: string) => text.replace(/[^\n]/g, mask);
const codeWords = (text: string) =>
  text.replace(INLINE_CODE, (code) => fill(code, "x")).replace(LINK_TARGET, (target) => fill(target, "x"));

/** Text of the same length in which only what people read is left. */
export function proseOf(path: string, text: string): string {
  if (path.endsWith(".md")) return ofMarkdown(text);
  return codeWords(new CodeText(text, /\.[jt]s$/.test(path)).masked());
}

function ofMarkdown(text: string): string {
  const prose = text
    .replace(FENCE, (code) => fill(code, GAP))
    .replace(/<!--[\s\S]*?-->/g, (comment) => fill(comment, GAP));
  return codeWords(prose).replace(/^[ \t]*(?:[-*+]|\d+\.)(?=\s)|\|/gm, (mark) => fill(mark, GAP));
}

/** One file of code on its way through. */
class CodeText {
  readonly #text: string;
  /** Whether strings are read as well as comments, and templates and regular expressions exist. */
  readonly #isTypeScript: boolean;
  /** Open braces within each `${` that is open. */
  readonly #braces: number[] = [];
  #at = 0;
  #masked = "";

  constructor(text: string, isTypeScript: boolean) {
    this.#text = text;
    this.#isTypeScript = isTypeScript;
  }

  masked(): string {
    while (this.#at < this.#text.length) this.#next();
    return this.#masked;
  }

  #next(): void {
    const comment = this.#take(CODE.comment);
    if (comment !== undefined) return this.#write(commentText(comment));
    const string = this.#take(CODE.string);
    if (string !== undefined) return this.#write(this.#isTypeScript ? stringText(string) : fill(string, GAP));
    const char = this.#text[this.#at];
    if (this.#isTypeScript) {
      const before = this.#text.slice(Math.max(0, this.#at - 40), this.#at);
      const regex = char === "/" && BEFORE_REGEX.test(before) ? this.#take(CODE.regex) : undefined;
      if (regex !== undefined) return this.#write(fill(regex, GAP));
      const depth = this.#braces.length - 1;
      if (char === "`" || char === "}" && this.#braces[depth] === 0) {
        if (char === "}") this.#braces.pop();
        return this.#template(char === "`" ? GAP : "x");
      }
      if (depth >= 0 && char === "{") this.#braces[depth]++;
      if (depth >= 0 && char === "}") this.#braces[depth]--;
    }
    this.#at++;
    this.#write(fill(char, this.#mask()));
  }

  /**
   * The text of a template from here to its end or its next expression.
   *
   * @param opener what its first character becomes
   */
  #template(opener: string): void {
    this.#at++;
    const text = this.#take(CODE.template) ?? "";
    const closes = this.#text[this.#at] === "`";
    const closer = closes ? "`" : this.#text.slice(this.#at, this.#at + 2);
    this.#at += closer.length;
    this.#write(opener + unescaped(text) + fill(closer, closes ? GAP : "x"));
    if (!closes) this.#braces.push(0);
  }

  /** An expression in a template is a word of its sentence. */
  #mask(): string {
    return this.#braces.length > 0 ? "x" : GAP;
  }

  #take(token: RegExp): string | undefined {
    token.lastIndex = this.#at;
    const found = token.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #write(text: string): void {
    this.#masked += text;
  }
}

function commentText(comment: string): string {
  const isBlock = comment.startsWith("/*");
  const opener = isBlock ? /^\/\*+/ : /^\/\/+/;
  const leaders = isBlock ? /(?<=\n[ \t]*)\*(?!\/)/g : /(?<=\n[ \t]*)\/\/+/g;
  return comment
    .replace(FENCE, (code) => fill(code, GAP))
    .replace(opener, (mark) => fill(mark, COMMENT))
    .replace(/\*+\/$/, (mark) => fill(mark, GAP))
    .replace(leaders, (mark) => fill(mark, " "))
    .replace(/(?<![\w{])@\w+/g, (tag) => fill(tag, GAP));
}

function stringText(string: string): string {
  return GAP + unescaped(string.slice(1, -1)) + GAP;
}

function unescaped(text: string): string {
  return text.replace(/\\([\s\S])/g, (_, char: string) => char === "`" || char === "\n" ? ` ${char}` : "  ");
}
