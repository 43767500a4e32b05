// The emulators that `sdk-tests/run` has started.
//
//     const aws = emulator("aws");
//     beforeEach(() => aws.reset());

import assert from "node:assert/strict";
import { request } from "node:http";

/** One vendor's emulator: where its API listens, and its clock. */
export function emulator(vendor) {
    const address = process.env[`ROTAPROBE_${vendor.toUpperCase()}`];
    const control = process.env[`ROTAPROBE_${vendor.toUpperCase()}_CONTROL`];
    if (!address || !control) {
        throw new Error("no emulator: start the tests with sdk-tests/run node");
    }
    return {
        address,
        /** Moves the emulator's clock forward, as if that time had passed. */
        advance: (seconds) => post(`http://${control}/clock/advance`, { seconds }),
        /** Forgets all secrets, and sets the clock right. */
        reset: () => post(`http://${control}/reset`),
    };
}

function post(url, body) {
    return new Promise((resolve, reject) => {
        const sent = request(url, { method: "POST" }, (answer) => {
            answer.resume();
            answer.on("end", () =>
                answer.statusCode === 200 ? resolve() : reject(new Error(`${url}: ${answer.statusCode}`)),
            );
        });
        sent.on("error", reject);
        sent.end(body && JSON.stringify(body));
    });
}

let numbers = 0;

/** A secret name that no other test of the file uses. */
export const fresh = (about) => `sdk-${about}-${++numbers}`;

/** The error with which a call is refused. */
export async function refusal(call) {
    let answer;
    try {
        answer = await call;
    } catch (error) {
        return error;
    }
    assert.fail(`not refused: ${JSON.stringify(answer)}`);
}
