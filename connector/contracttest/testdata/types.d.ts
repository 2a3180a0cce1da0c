// Type definitions of pots.
export as namespace pots;

export type NullableOption<T> = T | null;

export type Shape = "round" | "tall" | "unknownFutureValue";
export type Long =
    | "a"
    | "b";

export interface Thing {
    // The ID.
    id?: string;
}
export interface Pot extends Thing {
    /**
     * How large it is; required when a pot is created.
     */
    size?: NullableOption<number>;
    shape?: Shape;
    shapes?: NullableOption<Shape[]>;
    long?: NullableOption<Long>;
    lid?: NullableOption<Lid>;
    labels?: string[];
    other?: Missing;
    glazed?: boolean;
    veryLongNameOfAMember?: NullableOption<
        Lid[]
    >;
}
// tslint:disable-next-line: no-empty-interface
export interface Empty extends Thing {}
export interface Lid {
    knob?: boolean;
}
export namespace Kitchen {
    interface Ignored {
        a?: string;
    }
    export interface Cup extends pots.Thing {
        handle?: NullableOption<pots.Lid>;
    }
}
