<?php
declare(strict_types=1);

final class Prices
{
    public static function format(int $cents, ?int $discount): string
    {
        return number_format(self::reduced($cents, $discount ?? 0) / 100, 2);
    }

    public static function reduced(int $cents, int $percent): int
    {
        return intdiv($cents * (100 - $percent), 100);
    }
}
