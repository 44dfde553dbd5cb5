/**
 * Programs that some commands start.
 *
 * @module
 */
import { Failure } from "../failure.ts";
import { findFfmpeg } from "../video/ffmpeg_program.ts";
import type { Finding } from "./finding.ts";

const NEED_IT = "`write --input`, `read --output`, and `grab` of compressed frames need it; all else works without it";

/** Whether ffmpeg runs. Depots work without it. */
export async function ffmpegFinding(): Promise<Finding> {
  const check = "ffmpeg";
  try {
    const { version } = await findFfmpeg();
    return { id: "ffmpeg", check, verdict: "ok", says: version === "" ? "it runs, and tells no version" : version };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const says = `${error.message.split(";")[0]}. ${NEED_IT}`;
    const remedy = "any version of ffmpeg from 4.1 on will do, in a folder of the PATH";
    return { id: "ffmpeg-missing", check, verdict: "note", says, remedy };
  }
}
