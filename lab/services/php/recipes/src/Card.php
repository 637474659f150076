<?php

class Card
{
    private $id, $title, $minutes, $steps;

    public function __construct($recipe)
    {
        foreach ($recipe as $name => $value) {
            $this->$name = $value;
        }
    }

    public function asArray()
    {
        $lead = substr($this->steps, 0, 60);
        return ['id' => $this->id, 'title' => $this->title, 'ready_in' => "{$this->minutes} min", 'lead' => $lead];
    }
}
