/** What a runtime needs to start and to import the library. */
import "../../mod.ts";
