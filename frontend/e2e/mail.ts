import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** linkTo waits for a mail to an address and gives the link in it that leads to a page. */
export async function linkTo(folder: string, address: string, page: string): Promise<string> {
  const until = Date.now() + 15_000;
  while (Date.now() < until) {
    for (const name of readdirSync(folder)) {
      const text = readFileSync(join(folder, name), "utf8");
      const link = new RegExp(`https?://\\S+${page}\\?token=\\S+`).exec(text)?.[0];
      if (link && text.includes(`To: ${address}`)) return link;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`no mail to ${address} with a link to ${page}`);
}
